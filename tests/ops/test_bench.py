"""The benchmark: its load is what it says, and a small run measures all there is to measure."""

import json
from pathlib import Path

import msgspec
import pytest

from ops.bench.ingest import Plan, bench_ingest
from ops.bench.load import gateway_load, single_load
from ops.bench.report import Report, Row
from ops.bench.surroundings import Surroundings
from ops.services import RunningServices
from ops.state import State

UNTIL_MS = 1_795_348_800_000


def test_a_load_is_three_tenths_changes_and_a_hundredth_repeats() -> None:
    load = single_load(spaces=100, readings=20_000, until_ms=UNTIL_MS)
    readings = [json.loads(payload) for _, payload in load.messages]
    assert len(load.messages) == load.readings == 20_000
    assert load.readings - load.distinct == pytest.approx(200, rel=0.3)
    assert sum(one["kind"] == "change" for one in readings) == pytest.approx(6_000, rel=0.05)
    assert max(one["at"] for one in readings) < UNTIL_MS
    assert load == single_load(spaces=100, readings=20_000, until_ms=UNTIL_MS)


def test_gateways_carry_the_same_readings() -> None:
    single = single_load(spaces=100, readings=1_010, until_ms=UNTIL_MS)
    packed = gateway_load(spaces=100, readings=1_010, until_ms=UNTIL_MS)
    elements = [element for _, payload in packed.messages for element in json.loads(payload)]
    assert len(packed.messages) == 21
    assert packed.distinct == single.distinct
    assert [{**json.loads(payload), "sensor": topic.split("/")[2]} for topic, payload in single.messages] == elements


def test_a_row_is_judged_by_its_ratio_where_it_has_one() -> None:
    row = Row(what="x", value=10, unit="rows/s", ratio=0.4, against="y", at_least=0.5)
    assert (row.is_wish_met, row.wish) == (False, "≥ 0.5")
    assert Row(what="x", value=10, unit="MB", at_most=20).is_wish_met is True
    assert Row(what="x", value=10, unit="MB").is_wish_met is None
    told = msgspec.json.decode(Report(bench="b", rows=[row]).as_json())
    assert told["rows"][0]["is_wish_met"] is False


@pytest.mark.services
async def test_a_small_run_measures_all_there_is(services: RunningServices, tmp_path: Path) -> None:
    state = State.find(tmp_path / "state")
    state.logs.mkdir(parents=True)
    said: list[str] = []
    report = await bench_ingest(
        Surroundings(endpoints=services.endpoints, state=state),
        Plan(sizes=(50, 100), readings=2_000, rounds=1),
        lambda words, *_: said.append(words),
    )
    units = [row.unit for row in report.rows if row.ratio is not None or row.note]
    assert units == ["messages/s", *3 * ["rows/s"], "messages/s", "messages/s", "MB", "readings/s"]
    assert all(row.value > 0 for row in report.rows if row.unit.endswith("/s"))
    assert "filling the broker's queue" in said
