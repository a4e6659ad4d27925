"""``parking replay``: stored messages decoded again, or a recorded file's published again."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from core.errors import InvalidError
from core.settings import Settings
from core.wire import parse_instant
from ingest.database import connect
from ingest.decode import YEAR_2020_MS, YEAR_10000_MS
from ingest.registry import Registry
from ops.installation import database_url, environment, installation_clock
from ops.progress import progress_bar
from ops.recording.file import read_recording
from ops.recording.player import load_terms, play
from ops.replay import Replayed, Scope
from ops.replay import replay as replay_messages

app = typer.Typer(add_completion=False)


@app.command(name="replay")
def replay(
    file: Annotated[
        Path | None, typer.Argument(help="A file of `parking record`; unset: what is stored is decoded again.")
    ] = None,
    *,
    speed: Annotated[
        float, typer.Option(min=0, help="With FILE: so many times as fast as it came; 0: as fast as it goes.")
    ] = 1,
    since: Annotated[str | None, typer.Option("--from", help="RFC 3339; messages from then on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="RFC 3339; messages before then.")] = None,
    sensor: Annotated[str | None, typer.Option(help="Only messages of this sensor.")] = None,
    lot: Annotated[str | None, typer.Option(help="Only messages of sensors that ever watched a space of it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="What was done as JSON on stdout.")] = False,
) -> None:
    """Decode stored messages again and fold the spaces again that they change; or, with FILE, play a recording.

    Without FILE: safe beside a running ingest, and safe to repeat. Sessions keep their ids; the worker corrects bills.

    With FILE: its messages are published into an installation that has the same city and no readings yet, and end in
    the same sessions and bills.
    """
    if file is not None:
        if since or until or sensor or lot or as_json:
            raise InvalidError("--from, --to, --sensor, --lot and --json are for what is stored, not for a FILE")
        _play(file, speed)
        return
    scope = Scope(
        from_ms=YEAR_2020_MS if since is None else _instant(since, "--from"),
        to_ms=YEAR_10000_MS - 1 if until is None else _instant(until, "--to"),
        sensor=sensor,
        lot=lot,
    )
    done = asyncio.run(_replay(database_url(), scope))
    if as_json:
        told = asdict(done) | {"spaces": len(done.spaces)}
        typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())
    else:
        Console().print(_table(done))


def _play(file: Path, speed: float) -> None:
    count = sum(1 for _ in read_recording(file))
    registry = asyncio.run(_registry(database_url()))
    with progress_bar() as progress:
        bar = progress.add_task("messages published", total=count)
        played = play(
            environment("command")["PARKING_MQTT_URL"],
            read_recording(file),
            registry,
            speed=speed,
            tolerance_ms=1_000 * Settings().future_tolerance_seconds,
            show=lambda done: progress.update(bar, completed=done),
        )
    held = f"; {played.held_back:,} held back that were dated ahead of their arrival" if played.held_back else ""
    Console().print(f"{played.published:,} messages published{held}.", highlight=False)


async def _registry(url: str) -> Registry:
    db = await connect(url, application="parking-replay")
    try:
        return await load_terms(db)
    finally:
        await db.close()


async def _replay(url: str, scope: Scope) -> Replayed:
    db = await connect(url, application="parking-replay")
    try:
        with progress_bar() as progress:
            bar = progress.add_task("sensors and refused messages", total=None)
            return await replay_messages(
                db,
                scope,
                now_ms=installation_clock().now_ms(),
                tolerance_ms=1_000 * Settings().future_tolerance_seconds,
                progress=lambda done, of: progress.update(bar, completed=done, total=of),
            )
    finally:
        await db.close()


def _table(done: Replayed) -> Table:
    table = Table(show_header=False, box=None)
    for words, number in (
        ("readings as they were", done.unchanged),
        ("readings that say something else now", done.changed),
        ("new readings", done.new),
        ("readings that are refused now", done.refused),
        ("refused messages resolved", done.resolved),
        ("refused messages that remain so", done.still_refused),
        ("spaces folded again", len(done.spaces)),
    ):
        table.add_row(words, f"[bold]{number}[/]" if number else "0")
    return table


def _instant(words: str, option: str) -> int:
    try:
        return parse_instant(words.replace(" ", "+"))
    except ValueError as error:
        raise InvalidError(
            f"{option} is an RFC 3339 instant such as 2026-11-22T08:00:00+08:00, not {words!r}"
        ) from error
