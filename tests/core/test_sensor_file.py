"""The registry as a file: what is written is read again, and whatever is wrong is told with its line."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registry.file import COLUMNS, read_sensors, write_sensors
from core.sensor import CODECS
from core.wire import is_sensor_id

texts = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).map(
    str.strip
).map(lambda words: words or None)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001 - the zone follows
    lambda at: at.replace(microsecond=at.microsecond // 1_000 * 1_000, tzinfo=UTC)
)


@st.composite
def sensors(draw: st.DrawFn) -> dict[str, Any]:
    space = draw(st.none() | st.uuids().map(str))
    return {
        "code": draw(st.text(max_size=40).filter(is_sensor_id)),
        "codec": draw(st.sampled_from(CODECS)),
        "heartbeat_seconds": draw(st.integers(1, 604_800)),
        "maker": draw(texts),
        "model": draw(texts),
        "battery_low_mv": draw(st.none() | st.integers(1, 65_535)),
        "note": draw(texts),
        "space_code": space,
        "watching_since": draw(st.none() | instants) if space else None,
    }


@given(st.lists(sensors(), max_size=8, unique_by=lambda one: one["code"]))
def test_what_is_written_is_read_again(rows: list[dict[str, Any]]) -> None:
    file = read_sensors(write_sensors(rows).encode())
    assert file.problems == []
    assert [
        {"code": row.sensor, **row.entry, "space_code": row.space, "watching_since": row.since} for row in file.rows
    ] == rows


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_told_to_be_wrong(source: bytes) -> None:
    file = read_sensors(source)
    assert all(problem.startswith("line ") for problem in file.problems)


@given(st.text(alphabet='a,"\n;0 é', max_size=60))
def test_any_cells_are_read_or_told_to_be_wrong(cells: str) -> None:
    file = read_sensors(f"{','.join(COLUMNS)}\n{cells}".encode())
    assert all(problem.startswith("line ") for problem in file.problems)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "line 1: the column sensor_id is missing"),
        ("codec\nnative\n", "line 1: the column sensor_id is missing"),
        ("sensor_id,colour\na,red\n", "line 1: no column is called 'colour'"),
        ("sensor_id,sensor_id\na,a\n", "line 1: the column sensor_id is there twice"),
        ("sensor_id,watching_since\na,\n", "line 1: watching_since says nothing without space_code"),
        ("sensor_id,codec\na\n", "line 2: 1 cells under 2 columns"),
        ("sensor_id,codec\n,native\n", "line 2: sensor_id is empty"),
        ("sensor_id\na/b\n", "line 2: 'a/b' is no sensor id"),
        ("sensor_id,codec\na,acme\n", "line 2: there is no codec 'acme'"),
        ("sensor_id\na\n\nb\na\n", "line 5: a is on line 2 already"),
        ("sensor_id,space_code\na,KL-001\nb,KL-001\n", "line 3: KL-001 has a sensor on line 2 already"),
        ("sensor_id,battery_low_mv\na,-1\n", "line 2: battery_low_mv is a whole number from 1 to 65535, not '-1'"),
        ("sensor_id,heartbeat_seconds\na,²\n", "line 2: heartbeat_seconds is a whole number"),
        ("sensor_id,space_code,watching_since\na,,2026-11-22T08:00:00Z\n", "line 2: watching_since without space_code"),
        ("sensor_id,space_code,watching_since\na,K,2026-11-22\n", "line 2: watching_since: an instant such as"),
        ('sensor_id\n"a\n', "line 2: not CSV"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(source: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in read_sensors(source.encode()).problems)


def test_other_encodings_are_told_with_their_line() -> None:
    assert read_sensors("sensor_id\na\n停车场\n".encode("gb18030")).problems == ["line 3: not UTF-8"]


def test_a_mark_that_spreadsheets_put_before_the_text_is_no_part_of_it() -> None:
    assert read_sensors("\ufeffsensor_id\na\n".encode()).problems == []
