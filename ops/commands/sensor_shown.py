"""How ``parking sensor`` shows sensors in a terminal."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.clock import rfc3339
from core.registry import listing
from core.sensor import NAMES, Lang, Verdict, VerdictRules, rule_in_words

STYLES: Final[Mapping[str, str]] = {"online": "green", "late": "yellow", "low-battery": "yellow"}


def table_of(*headings: str) -> Table:
    """A table without lines; without headings too if there are none."""
    table = Table(box=None, pad_edge=False, show_header=bool(headings))
    for heading in headings:
        table.add_column(heading)
    return table


def sensors_table(rows: Sequence[listing.Row], now: datetime) -> Table:
    """A line for each sensor."""
    table = table_of("sensor", "space", "verdict", "since", "heard", "battery", "signal", "°C", "model")
    lines = [_line(row, now) for row in rows]
    for column in range(2):  # codes are copied from here: a narrow terminal must not cut them
        table.columns[column].min_width = max((len(line[column]) for line in lines), default=0)
    for line in lines:
        table.add_row(*line)
    return table


def rules_table(rules: VerdictRules, lang: Lang) -> Table:
    """Each verdict with its rule in words."""
    table = table_of()
    for verdict in Verdict:
        table.add_row(_coloured(verdict.value, NAMES[verdict][lang]), rule_in_words(verdict, rules, lang))
    return table


def print_story(out: Console, story: listing.SensorStory) -> None:
    """Everything about one sensor."""
    row = story.sensor
    out.print(f"[bold]{escape(row['code'])}[/]  {_verdict(row)}  {escape(row['space_code'] or 'watches nothing')}")
    for name in ("codec", "maker", "model", "firmware", "heartbeat_seconds", "battery_low_mv", "note"):
        if row[name] is not None:
            out.print(f"  {name.replace('_', ' ')}: {escape(str(row[name]))}", highlight=False)
    out.print(f"  last heard: {instant_words(row['last_heard_at'])}, battery {_battery(row)}", highlight=False)
    _section(out, "watched", [(one["space_code"], _span(one["begins"], one["ends"])) for one in story.watches])
    _section(out, "verdicts", [(one["verdict"], _span(one["began_at"], one["ended_at"])) for one in story.verdicts])
    _section(
        out,
        "said of itself",
        [(instant_words(one["observed_at"]), _battery(one), _signal(one), _degrees(one)) for one in story.telemetry],
    )
    looks = [(instant_words(one["asked_at"]), outcome_words(one)) for one in story.reassignments]
    _section(out, "readings looked at again", looks)


def outcome_words(row: Mapping[str, Any]) -> str:
    """What became of readings that were looked at again."""
    if row["done_at"] is None:
        return "waits for ingest"
    return f"{row['moved']} readings moved, {row['taken_in']} taken in, {row['set_aside']} set aside"


def instant_words(at: datetime | None) -> str:
    """RFC 3339, or that there is none."""
    return "never" if at is None else rfc3339(at)


def _line(row: listing.Row, now: datetime) -> tuple[str, ...]:
    model = " ".join(word for word in (row["maker"], row["model"]) if word) or row["codec"]
    since = _ago(now - row["verdict_since"]) if row["verdict_since"] else ""
    heard = f"{_ago(now - row['last_heard_at'])} ago" if row["last_heard_at"] else "never"
    space = escape(row["space_code"] or "-")
    return (escape(row["code"]), space, _verdict(row), since, heard, _battery(row), _signal(row), _degrees(row), model)


def _verdict(row: listing.Row) -> str:
    if row["space_code"] is None:
        return listing.UNASSIGNED
    return ", ".join(_coloured(word, NAMES[Verdict(word)]["en"]) for word in row["verdicts"]) or "not judged yet"


def _coloured(verdict: str, words: str) -> str:
    return f"[{STYLES.get(verdict, 'red')}]{words}[/]"


def _battery(row: listing.Row) -> str:
    parts = [f"{row['battery_pct']} %"] if row["battery_pct"] is not None else []
    parts += [f"{row['battery_mv'] / 1000:.2f} V"] if row["battery_mv"] is not None else []
    parts += ["low"] if row["battery_low"] else []
    return " ".join(parts) or "-"


def _signal(row: listing.Row) -> str:
    return "-" if row["rssi_dbm"] is None else f"{row['rssi_dbm']} dBm"


def _degrees(row: listing.Row) -> str:
    return "-" if row["temperature_c"] is None else f"{row['temperature_c']:.1f}"


def _section(out: Console, title: str, rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    out.print(f"[bold]{title}[/]")
    table = table_of()
    for row in rows:
        table.add_row(" ", *(escape(cell) for cell in row))
    out.print(table)


def _span(begins: datetime | None, ends: datetime | None) -> str:
    return f"{instant_words(begins) if begins else 'from ever'} to {instant_words(ends) if ends else 'now'}"


def _ago(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
