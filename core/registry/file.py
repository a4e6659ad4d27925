"""The registry as a CSV file: reading one, and everything that is wrong with it, line by line. Pure.

One row a sensor. ``sensor_id`` is required; a column that is left out, or ``space_code`` and ``watching_since`` when
the first of them is, leaves what is stored as it is; an empty cell empties it.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from core.clock import rfc3339
from core.errors import InvalidError
from core.registry.entry import MAX_BATTERY_MV, MAX_HEARTBEAT_SECONDS
from core.sensor import CODECS
from core.wire import is_sensor_id

COLUMNS: Final = (
    "sensor_id",
    "codec",
    "heartbeat_seconds",
    "maker",
    "model",
    "battery_low_mv",
    "note",
    "space_code",
    "watching_since",
)
_NUMBERS: Final[Mapping[str, int]] = {
    "heartbeat_seconds": MAX_HEARTBEAT_SECONDS,
    "battery_low_mv": MAX_BATTERY_MV,
}
"""Columns with whole numbers from 1 to this."""
_TEXTS: Final = ("codec", "maker", "model", "note")
_REQUIRED: Final = ("sensor_id", "codec", "heartbeat_seconds")
LONGEST_CELL: Final = 1_000
MOST_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One line, understood: what is given, by column."""

    line: int
    sensor: str
    entry: Mapping[str, Any]
    """Of ``codec, heartbeat_seconds, maker, model, battery_low_mv, note`` those that the file has."""
    says_space: bool
    """Whether the file has the column ``space_code`` at all."""
    space: str | None = None
    since: datetime | None = None
    """From when on it watches the space; None where the file does not say."""


@dataclass(slots=True)
class SensorFile:
    """What a file says, and what is wrong with it; with problems the rows are of no use."""

    rows: list[FileRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_sensors(source: bytes) -> SensorFile:
    """Read a file and find everything that is wrong with it alone."""
    result = SensorFile()
    try:
        lines = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        result.problems.append(f"line {source[: error.start].count(10) + 1}: not UTF-8")
        return result
    reader = csv.reader(io.StringIO(lines), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        result.problems.extend(_wrong_header(header))
        if not result.problems:
            _read_rows(reader, header, result)
    except csv.Error as error:
        result.problems.append(f"line {reader.line_num}: not CSV: {error}")
    return result


def write_sensors(rows: Iterable[Mapping[str, Any]]) -> str:
    """Sensors as ``core.registry.listing`` gives them, as a file that ``read_sensors`` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        values = {**row, "sensor_id": row["code"]}
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return out.getvalue()


def _wrong_header(header: Sequence[str]) -> list[str]:
    problems = [f"line 1: no column is called {name!r}" for name in header if name not in COLUMNS]
    problems.extend(f"line 1: the column {name} is there twice" for name in COLUMNS if header.count(name) > 1)
    if "sensor_id" not in header:
        problems.append(f"line 1: the column sensor_id is missing; columns are {', '.join(COLUMNS)}")
    if "watching_since" in header and "space_code" not in header:
        problems.append("line 1: watching_since says nothing without space_code")
    return problems


def _read_rows(reader: Any, header: Sequence[str], result: SensorFile) -> None:
    seen: dict[str, int] = {}
    taken: dict[str, int] = {}
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            result.problems.append(f"line {line}: {len(cells)} cells under {len(header)} columns")
            continue
        if len(result.rows) >= MOST_ROWS:
            result.problems.append(f"line {line}: more than {MOST_ROWS} sensors")
            return
        given = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        row, wrong = _row(line, given)
        result.problems.extend(f"line {line}: {what}" for what in wrong)
        if row.sensor in seen:
            result.problems.append(f"line {line}: {row.sensor} is on line {seen[row.sensor]} already")
        if row.space is not None and row.space in taken:
            result.problems.append(f"line {line}: {row.space} has a sensor on line {taken[row.space]} already")
        seen.setdefault(row.sensor, line)
        if row.space is not None:
            taken.setdefault(row.space, line)
        result.rows.append(row)


def _row(line: int, given: Mapping[str, str]) -> tuple[FileRow, list[str]]:
    wrong = _wrong_cells(given)
    entry: dict[str, Any] = {name: given[name] or None for name in _TEXTS if name in given}
    for name, most in _NUMBERS.items():
        if name in given:
            entry[name] = _whole(given[name], name, most, wrong)
    space = given.get("space_code") or None
    since = _instant(given.get("watching_since", ""), wrong)
    if since is not None and space is None:
        wrong.append("watching_since without space_code")
    row = FileRow(
        line=line, sensor=given["sensor_id"], entry=entry, says_space="space_code" in given, space=space, since=since
    )
    return row, wrong


def _wrong_cells(given: Mapping[str, str]) -> list[str]:
    """What is wrong with the words of a line; numbers and instants are looked at when they are read."""
    wrong = [f"{name} is empty" for name in _REQUIRED if given.get(name) == ""]
    wrong.extend(
        f"{name} is longer than {LONGEST_CELL} characters, or has a zero in it"
        for name, cell in given.items()
        if len(cell) > LONGEST_CELL or "\0" in cell
    )
    sensor, codec = given["sensor_id"], given.get("codec")
    if sensor and not is_sensor_id(sensor):
        wrong.append(f"{sensor!r} is no sensor id")
    if codec and codec not in CODECS:
        wrong.append(f"there is no codec {codec!r}; there are {', '.join(CODECS)}")
    return wrong


def _whole(cell: str, name: str, most: int, wrong: list[str]) -> int | None:
    if not cell:
        return None
    if cell.isascii() and cell.isdigit() and 1 <= int(cell[:12]) <= most:
        return int(cell)
    wrong.append(f"{name} is a whole number from 1 to {most}, not {cell!r}")
    return None


def _instant(cell: str, wrong: list[str]) -> datetime | None:
    if not cell:
        return None
    try:
        return instant_of(cell)
    except InvalidError as error:
        wrong.append(f"watching_since: {error.message}")
        return None


def instant_of(words: str) -> datetime:
    """An RFC 3339 instant with its offset, in UTC.

    Raises:
        InvalidError: it is none, or lies outside the years that are believed.
    """
    try:
        at = datetime.fromisoformat(words.strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not _EARLIEST <= at < _LATEST:
        raise InvalidError(f"an instant such as 2026-11-22T08:00:00+08:00, with its offset, not {words!r}")
    return at.astimezone(UTC)


_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    return "" if value is None else value
