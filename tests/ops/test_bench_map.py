"""The benches of the map: small runs on real services, that measure all there is."""

from pathlib import Path

import pytest

from ops.bench.change import ChangePlan, bench_change
from ops.bench.live import LivePlan, bench_live
from ops.bench.map import MapPlan, bench_map
from ops.bench.surroundings import Surroundings
from ops.services import RunningServices
from ops.state import State

pytestmark = pytest.mark.services


@pytest.fixture
def surroundings(services: RunningServices, tmp_path: Path) -> Surroundings:
    state = State.find(tmp_path / "state")
    state.logs.mkdir(parents=True)
    return Surroundings(endpoints=services.endpoints, state=state)


async def test_every_answer_is_asked_for_in_three_ways_and_compared(surroundings: Surroundings) -> None:
    plan = MapPlan(connections=2, seconds=0.5, rounds=1)
    report = await bench_map(surroundings, plan, lambda *_: None)
    rates = [row for row in report.rows if row.unit == "requests/s"]
    assert [row.what.partition(" (")[0] for row in rates] == [
        "/spaces/state",
        "/spaces/state, gzip",
        "/spaces/state, unchanged",
        "/lots",
        "/lots, gzip",
        "/lots, unchanged",
    ]
    assert all(row.value > 0 and row.ratio and row.at_least == 0.8 for row in rates)


async def test_every_viewer_gets_every_change_set(surroundings: Surroundings) -> None:
    plan = LivePlan(viewers=60, seconds=3, changes=40)
    report = await bench_live(surroundings, plan, lambda *_: None)
    everybody, typical, worst, spread, cpu, _ = report.rows
    assert everybody.value == 100
    assert 0 < typical.value <= worst.value
    assert spread.against == cpu.against == "constant frames"


async def test_a_change_is_timed_to_its_commit_and_to_the_stream(surroundings: Surroundings) -> None:
    report = await bench_change(surroundings, ChangePlan(per_second=20, seconds=3), lambda *_: None)
    seen, commit, commit_p95, stream, stream_p95, worst = report.rows
    assert seen.value == 100
    assert 0 < commit.value <= commit_p95.value
    assert 0 < stream.value <= stream_p95.value <= worst.value
    assert commit.value / 1e3 < stream.value, "it is committed before it is shown"
