"""``parking sensor``: which sensors there are, how they are doing, what they watch; put right at any time."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.audit import AuditEntry
from core.errors import InvalidError, SensorFileRefusedError
from core.registry import changing, listing
from core.registry.entry import SensorEntry
from core.registry.file import instant_of, write_sensors
from core.registry.importing import FileReport, import_sensors
from core.sensor import CODECS, Lang, Verdict
from core.settings import Settings
from ops.asking import in_database
from ops.commands.sensor_shown import (
    instant_words,
    outcome_words,
    print_story,
    rules_table,
    sensors_table,
    table_of,
)
from ops.installation import installation_clock

app = typer.Typer(no_args_is_help=True, help="Sensors: how they are doing, what they watch.")

Answer = TypeVar("Answer")
SensorCode = Annotated[str, typer.Argument(metavar="SENSOR", help="Its id: free text, DevEUI in lower-case hex, IMEI.")]
SpaceCode = Annotated[str, typer.Argument(metavar="SPACE", help="As printed on the space.")]
At = Annotated[
    str | None,
    typer.Option(metavar="INSTANT", help="When it was so, RFC 3339 with offset; now, if not given. The past is fine."),
]
Codec = Annotated[str | None, typer.Option(help=f"How to read its payloads: {', '.join(CODECS)}.", show_default=False)]
Heartbeat = Annotated[int | None, typer.Option(metavar="SECONDS", help="How often it speaks at least.")]
Maker = Annotated[str | None, typer.Option(help="Who made it.")]
Model = Annotated[str | None, typer.Option(help="What the maker calls it.")]
BatteryLow = Annotated[int | None, typer.Option(metavar="MILLIVOLTS", help="Below it this sensor's battery is low.")]
Note = Annotated[str | None, typer.Option(help="Anything worth remembering.")]

WAIT_SECONDS: Final = 10.0

_out = Console(soft_wrap=True)
_err = Console(stderr=True, soft_wrap=True)


class Filter(StrEnum):
    """What to list by: a verdict, or that there is none."""

    SILENT = Verdict.SILENT.value
    NEVER_HEARD = Verdict.NEVER_HEARD.value
    STUCK = Verdict.STUCK.value
    FLAPPING = Verdict.FLAPPING.value
    LATE = Verdict.LATE.value
    LOW_BATTERY = Verdict.LOW_BATTERY.value
    ONLINE = Verdict.ONLINE.value
    UNASSIGNED = listing.UNASSIGNED


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Whoever sits at this machine, in the audit."""

    def entry(self, action: str, subject: str, **values: Any) -> AuditEntry:
        """An audit entry in the name of the command line."""
        return AuditEntry(at=datetime.now(UTC), actor="command", action=action, subject=subject, **values)


HERE: Final = CommandLine()


@app.callback()
def sensor() -> None:
    """Sensors: how they are doing, what they watch."""


@app.command("list")
def list_(
    *,
    verdict: Annotated[Filter | None, typer.Option(help="Only sensors of which this holds.")] = None,
    lot: Annotated[str | None, typer.Option(help="Only those in this lot.")] = None,
    search: Annotated[str | None, typer.Option(help="A part of the sensor's or space's code, maker or model.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the worst first.")] = 200,
) -> None:
    """Sensors, the worst first, and how many there are of each verdict."""
    now = installation_clock().now()
    wanted = listing.Wanted(verdict=verdict.value if verdict else None, lot=lot, search=search, limit=limit)

    async def read(db: AsyncConnection) -> tuple[list[listing.Row], int, dict[str, int]]:
        found = await listing.list_sensors(db, wanted, now=now)
        return found, await listing.count_sensors(db, wanted, now=now), await listing.count_verdicts(db, now=now)

    rows, total, counts = _ask(read)
    _out.print(sensors_table(rows, now))
    if total > len(rows):
        _out.print(f"... and {total - len(rows)} more; --limit shows them", style="dim")
    _out.print(", ".join(f"{count} {word}" for word, count in counts.items() if count), highlight=False)


@app.command()
def rules(lang: Annotated[str, typer.Option(help="zh or en.")] = "en") -> None:
    """By which rule each verdict is given, with the numbers in force."""
    words: Lang = "zh" if lang == "zh" else "en"
    _out.print(rules_table(Settings().verdict_rules, words))


@app.command()
def show(sensor: SensorCode, *, days: Annotated[int, typer.Option(min=1, help="How far back.")] = 7) -> None:
    """Everything about one sensor: what it watched, how it did, what it said of itself."""
    now = installation_clock().now()
    story = _ask(lambda db: listing.fetch_story(db, sensor, now=now, since=now - timedelta(days=days), limit=50))
    print_story(_out, story)


@app.command()
def add(
    sensor: SensorCode,
    *,
    codec: Codec = None,
    heartbeat: Heartbeat = None,
    maker: Maker = None,
    model: Model = None,
    battery_low: BatteryLow = None,
    note: Note = None,
) -> None:
    """Register a sensor; it watches nothing yet."""
    entry = _entry(SensorEntry(code=sensor), codec, heartbeat, maker, model, battery_low, note)
    now = installation_clock().now()
    _ask(lambda db: changing.add_sensor(db, entry, HERE, now=now))
    _out.print(f"{escape(sensor)} is registered; let it watch a space with `parking sensor assign`")


@app.command()
def change(
    sensor: SensorCode,
    *,
    codec: Codec = None,
    heartbeat: Heartbeat = None,
    maker: Maker = None,
    model: Model = None,
    battery_low: BatteryLow = None,
    note: Note = None,
) -> None:
    """Change what the registry keeps of a sensor; what is not given stays."""
    now = installation_clock().now()

    async def work(db: AsyncConnection) -> None:
        before = await changing.fetch_entry(db, sensor)
        entry = _entry(before, codec, heartbeat, maker, model, battery_low, note)
        await changing.change_sensor(db, entry, HERE, now=now)

    _ask(work)
    _out.print(f"{escape(sensor)} is changed")
    _tell_outcome(sensor)


@app.command()
def assign(sensor: SensorCode, space: SpaceCode, *, at: At = None) -> None:
    """Let a sensor watch a space from an instant on."""
    now = installation_clock().now()
    _ask(lambda db: changing.assign(db, sensor, space, HERE, at=_at(at, now), now=now))
    _out.print(f"{escape(sensor)} watches {escape(space)} since {instant_words(_at(at, now))}", highlight=False)
    _tell_outcome(sensor)


@app.command()
def unassign(sensor: SensorCode, *, at: At = None) -> None:
    """Let a sensor watch nothing from an instant on."""
    now = installation_clock().now()
    space = _ask(lambda db: changing.unassign(db, sensor, HERE, at=_at(at, now), now=now))
    _out.print(f"{escape(sensor)} watches nothing since {instant_words(_at(at, now))}, {escape(space)} before")
    _tell_outcome(sensor)


@app.command()
def swap(
    old: Annotated[str, typer.Argument(help="The sensor that was taken out.")],
    new: Annotated[str, typer.Argument(help="The one in its place; registered, if it is not yet.")],
    *,
    at: At = None,
    codec: Codec = None,
    heartbeat: Heartbeat = None,
) -> None:
    """Let a sensor take over another's space; the past stays with the old one.

    Noting a swap again with another instant puts the first note right.
    """
    now = installation_clock().now()

    async def work(db: AsyncConnection) -> str:
        before = await changing.fetch_entry(db, old)
        kind = replace(before, code=new, note=None)
        entry = _entry(kind, codec, heartbeat, None, None, None, None)
        return await changing.swap(db, old, entry, HERE, at=_at(at, now), now=now)

    space = _ask(work)
    _out.print(f"{escape(new)} watches {escape(space)} since {instant_words(_at(at, now))}, {escape(old)} before")
    _tell_outcome(old, new)


@app.command()
def adopt(
    sensor: SensorCode,
    space: SpaceCode,
    *,
    at: At = None,
    codec: Codec = None,
    heartbeat: Heartbeat = None,
    maker: Maker = None,
    model: Model = None,
    battery_low: BatteryLow = None,
    note: Note = None,
) -> None:
    """Register a sender that is unknown so far and let it watch a space, with all that was refused of it.

    Without --at since its oldest refused reading, or since the space's sensor before it stopped.
    """
    entry = _entry(SensorEntry(code=sensor), codec, heartbeat, maker, model, battery_low, note)
    now = installation_clock().now()
    since = _at(at, now) if at else None
    begins = _ask(lambda db: changing.adopt(db, entry, space, HERE, at=since, now=now))
    _out.print(f"{escape(sensor)} watches {escape(space)} since {instant_words(begins) if begins else 'ever'}")
    _tell_outcome(sensor)


@app.command()
def unknown() -> None:
    """Senders that nobody has registered, the newest first."""
    table = table_of("sensor", "messages", "first", "last", "topic")
    for row in _ask(listing.list_strangers):
        times = (instant_words(row["first_at"]), instant_words(row["last_at"]))
        table.add_row(escape(row["sensor_id"]), str(row["times"]), *times, escape(row["topic"]))
    _out.print(table)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV as `parking sensor export` writes it; - is stdin.")],
) -> None:
    """Make the sensors a file lists what it says of them; on any error nothing is changed."""
    try:
        source = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}") from error
    now = installation_clock().now()

    async def work(db: AsyncConnection) -> FileReport:
        return await import_sensors(db, source, HERE, now=now)

    try:
        report = _ask(work)
    except SensorFileRefusedError as error:
        problems = error.facts["problems"]
        assert isinstance(problems, list)  # noqa: S101 - what this error carries
        for problem in problems:
            _err.print(escape(problem), highlight=False)
        _err.print(f"[bold red]{len(problems)} errors, nothing was changed[/]", highlight=False)
        raise typer.Exit(1) from error
    _out.print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged; {report.assigned} watch "
        f"another space now, {report.unassigned} none any more",
        highlight=False,
    )


@app.command()
def export() -> None:
    """Every sensor and what it watches, as CSV to stdout; `parking sensor import` reads it."""
    now = installation_clock().now()
    rows = _ask(lambda db: listing.list_sensors(db, listing.Wanted(), now=now))
    sys.stdout.write(write_sensors(sorted(rows, key=lambda row: row["code"])))


def _ask(work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
    return asyncio.run(in_database(work))


def _at(words: str | None, now: datetime) -> datetime:
    return now if words is None else instant_of(words)


def _entry(  # noqa: PLR0917 - the options, in their order
    before: SensorEntry,
    codec: str | None,
    heartbeat: int | None,
    maker: str | None,
    model: str | None,
    battery_low: int | None,
    note: str | None,
) -> SensorEntry:
    given: dict[str, Any] = {
        "codec": codec,
        "heartbeat_seconds": heartbeat,
        "maker": maker,
        "model": model,
        "battery_low_mv": battery_low,
        "note": note,
    }
    return replace(before, **{name: value for name, value in given.items() if value is not None})


def _tell_outcome(*sensors: str) -> None:
    """Wait until ingest has looked at the readings again, and say what became of them."""

    async def done(db: AsyncConnection) -> dict[str, int] | None:
        found = await db.execute(
            text(
                "SELECT count(*) FILTER (WHERE done_at IS NULL) AS pending, sum(moved) AS moved,"
                " sum(taken_in) AS taken_in, sum(set_aside) AS set_aside FROM reassignment"
                " JOIN sensor ON sensor.id = sensor_id WHERE code = ANY (:sensors)"
                " AND asked_at = (SELECT max(asked_at) FROM reassignment JOIN sensor ON sensor.id = sensor_id"
                " WHERE code = ANY (:sensors))"
            ),
            {"sensors": list(sensors)},
        )
        row = found.mappings().one()
        if row["pending"]:
            return None
        return {name: int(row[name] or 0) for name in ("moved", "taken_in", "set_aside")}

    ends_at = time.monotonic() + WAIT_SECONDS
    while (counts := _ask(done)) is None and time.monotonic() < ends_at:
        time.sleep(0.3)
    if counts is None:
        _out.print("its readings will be looked at again as soon as ingest runs", style="dim")
    elif any(counts.values()):
        _out.print(outcome_words({**counts, "done_at": True}), highlight=False)
