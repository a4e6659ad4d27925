"""``parking tariff preview``: what a draft would have brought, beside what was billed."""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from billing.phrases import Lang
from billing.preview import Change, Preview, Sum, length_text, preview_object
from billing.tariff import load_tariff
from core.errors import InvalidError, LotNotFoundError
from ops.installation import database_url, installation_clock
from ops.notices import language, notice_bytes
from ops.preview import lots_of
from ops.preview import preview as preview_stays
from ops.progress import progress_bar
from ops.report.charts import amount_text
from ops.report.preview_html import preview_html
from ops.report.preview_words import notes, share_text, word

app = typer.Typer()

USUALLY: Final = timedelta(days=30)

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@app.command()
def preview(  # noqa: PLR0917 - typer makes options of them
    draft: Annotated[str, typer.Argument(help="A notice's JSON file, or the id of a shipped one.")],
    since: Annotated[str | None, typer.Option("--from", help="A day or an instant; 30 days before --to.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this day or instant; unset: now.")] = None,
    lot: Annotated[
        list[str] | None, typer.Option(help="Only this lot; repeatable. Unset: those that go by the draft's code.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report that prints well.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh or en.")] = "zh",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON on stdout.")] = False,
) -> None:
    """Price the recorded stays under a draft, and show what that would change in revenue.

    By lot, by hour of arrival and by length of stay, beside what was billed. Nothing is stored.
    """
    source, chosen = notice_bytes(draft), language(lang)
    tariff = load_tariff(source)
    url = database_url()
    end = _instant(until, tariff.zone, "--to") or installation_clock().now()
    begin = _instant(since, tariff.zone, "--from") or end - USUALLY
    if begin >= end:
        raise InvalidError(f"--from {begin.isoformat()} is not before --to {end.isoformat()}")
    lots = asyncio.run(_lots(url, tariff.code, lot))
    with progress_bar() as progress:
        bar = progress.add_task("counting stays", total=None)

        def show(done: int, of: int) -> None:
            progress.update(bar, description="stays priced", completed=done, total=of)

        found = asyncio.run(preview_stays(url, source, since=begin, until=end, lots=lots, progress=show))
    if as_json:
        typer.echo(json.dumps(preview_object(found), ensure_ascii=False, indent=1))
    else:
        _print(found, chosen)
    if html is not None:
        report = preview_html(found, lang=chosen, lots=lots, written_at=datetime.now(UTC))
        try:
            html.write_text(report, encoding="utf-8")
        except OSError as error:
            raise InvalidError(f"{html} cannot be written: {error.strerror}") from error
        _err.print(f"{html}: {len(report) // 1000 + 1} kB")


async def _lots(url: str, code: str, named: list[str] | None) -> list[str] | None:
    """The lots to look at; none: all, because none goes by the draft's code yet."""
    using, every = await lots_of(url, code)
    for one in named or ():
        if one not in every:
            raise LotNotFoundError(f"no lot has the code {one!r}", lot_id=one)
    if named:
        return named
    if not using:
        _err.print(f"no lot goes by the code {code}: all lots are looked at (--lot names some)")
        return None
    return None if using == every else using


def _instant(words: str | None, zone: ZoneInfo, option: str) -> datetime | None:
    """A day begins at its midnight in the tariff's zone, which also completes an instant without an offset."""
    if words is None:
        return None
    try:
        at = datetime.combine(date.fromisoformat(words), time()) if len(words) <= len("2026-11-22") else None
        at = at or datetime.fromisoformat(words)
    except ValueError as error:
        raise InvalidError(f"{option} is a day such as 2026-11-01, or an instant, not {words!r}") from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _print(found: Preview, lang: Lang) -> None:
    counted, currency, zone = found.tally, found.draft.currency, found.draft.zone
    name = found.draft.document.name
    _out.print(f"[bold]{word('title', lang)}: {name.zh if lang == 'zh' else name.en}[/]")
    _out.print(
        f"{found.draft.code} · {word('period', lang)} {found.since.astimezone(zone):%Y-%m-%d %H:%M} – "
        f"{found.until.astimezone(zone):%Y-%m-%d %H:%M}"
    )
    if not counted.total.stays:
        _out.print(word("nothing", lang))
    else:
        lots = [(lot, counted.by_lot[lot]) for lot in sorted(counted.by_lot)]
        hours = [(f"{hour:02d}:00", counted.by_hour[hour]) for hour in sorted(counted.by_hour)]
        lengths = [(length_text(index, lang), counted.by_length[index]) for index in sorted(counted.by_length)]
        for rule, rows in (("lot", lots), ("hour", hours), ("length", lengths)):
            _out.print(_grid(rule, rows, counted.total, currency, lang))
        for rule, changes in (("dearest", counted.dearest), ("cheapest", counted.cheapest)):
            if changes:
                _out.print(_examples(rule, changes, found, lang))
    for note in notes(found, lang):
        _out.print(f"[dim]{note}[/]")


def _grid(rule: str, rows: Iterable[tuple[str, Sum]], total: Sum, currency: str, lang: Lang) -> Table:
    grid = Table(title=word(f"by_{rule}", lang), title_justify="left", show_footer=True)
    cells = _cells(total, currency)
    heads = ("stays", "billed", "by_draft", "difference", "", "dearer", "cheaper")
    grid.add_column(word(rule, lang), footer=word("total", lang))
    for head, foot in zip(heads, cells, strict=True):
        grid.add_column(word(head, lang) if head else "", footer=foot, justify="right", no_wrap=True)
    for label, one in rows:
        grid.add_row(label, *_cells(one, currency))
    return grid


def _cells(one: Sum, currency: str) -> tuple[str, ...]:
    return (
        f"{one.stays:,}",
        amount_text(one.billed_fen, currency),
        amount_text(one.draft_fen, currency),
        amount_text(one.difference_fen, currency, signed=True),
        share_text(one.difference_fen, one.billed_fen),
        f"{one.dearer:,}",
        f"{one.cheaper:,}",
    )


def _examples(rule: str, changes: Iterable[Change], found: Preview, lang: Lang) -> Table:
    grid = Table(title=word(rule, lang), title_justify="left")
    for head in ("session", "lot", "arrived", "left"):
        grid.add_column(word(head, lang), no_wrap=True)
    for head in ("billed", "by_draft"):
        grid.add_column(word(head, lang), justify="right", no_wrap=True)
    zone, currency = found.draft.zone, found.draft.currency
    for change in changes:
        grid.add_row(
            change.session_id,
            change.lot,
            f"{change.entered_at.astimezone(zone):%m-%d %H:%M}",
            f"{change.left_at.astimezone(zone):%m-%d %H:%M}",
            amount_text(change.billed_fen, currency),
            amount_text(change.draft_fen, currency),
        )
    return grid
