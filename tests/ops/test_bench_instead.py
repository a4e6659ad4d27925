"""Ingest beside what one would do without it: a small run on real services, with its kills."""

from pathlib import Path

import pytest

from ops.bench.instead import InsteadPlan, bench_instead
from ops.bench.surroundings import Surroundings
from ops.services import RunningServices
from ops.state import State

pytestmark = pytest.mark.services


async def test_ingest_loses_and_doubles_nothing_when_killed_and_the_others_are_measured_alike(
    services: RunningServices, tmp_path: Path
) -> None:
    state = State.find(tmp_path / "state")
    state.logs.mkdir(parents=True)
    at = Surroundings(endpoints=services.endpoints, state=state)
    report = await bench_instead(at, InsteadPlan(messages=1_000), lambda *_: None)
    ours, lost, twice, callback, _, _, piped, _, _ = report.rows
    assert (lost.value, twice.value) == (0, 0)
    assert callback.against == piped.against == ours.what
    assert all(row.value > 0 for row in (ours, callback, piped))
