"""A rough day in small: thousands of payments are `parking bench rough-day`.

A longer one, or another: ``TEST_SEEDS``, ``TEST_PAYMENTS``. A seed that failed belongs into ``failing_seeds.txt``.
"""

import os
from pathlib import Path

import pytest

from ops.bench.rough_day.plan import RoughDay, habit_of
from ops.bench.rough_day.running import run_rough_day
from ops.bench.rough_day.seeds import keep_seed, kept_seeds
from tests.api.town import Town

pytestmark = pytest.mark.services

FAILED_ONCE = tuple(kept_seeds(Path(__file__).parent / "failing_seeds.txt"))
SEEDS = tuple(int(seed) for seed in os.environ.get("TEST_SEEDS", "1").split(","))
PAYMENTS = int(os.environ.get("TEST_PAYMENTS", "50"))


@pytest.mark.parametrize("seed", dict.fromkeys((*FAILED_ONCE, *SEEDS)))
async def test_after_a_rough_day_with_kills_every_fen_is_where_the_books_say(
    town: Town, tmp_path: Path, seed: int
) -> None:
    plan = RoughDay(payments=PAYMENTS, seed=seed, at_once=15, kill_after=(1.0, 2.0))
    outcome = await run_rough_day(town.database.url, tmp_path, plan, lambda *_: None)
    assert outcome.verdict.broken == ()
    assert outcome.verdict.proved == 12
    figures = {row.what.strip(): row.value for row in outcome.report.rows}
    assert figures["api killed"] + figures["worker killed"] > 1
    assert figures["payments begun"] > PAYMENTS / 2
    assert figures.get("answers of 500", 0) == 0


def test_the_same_seed_is_the_same_day() -> None:
    assert [habit_of(7, number) for number in range(50)] == [habit_of(7, number) for number in range(50)]
    assert habit_of(7, 1) != habit_of(8, 1)


def test_a_seed_that_failed_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "of" / "seeds.txt"
    assert kept_seeds(path) == []
    for seed, why in ((3, "I9: books 5"), (4, "lost"), (3, "again")):
        keep_seed(path, seed, why)
    assert kept_seeds(path) == [3, 4]
