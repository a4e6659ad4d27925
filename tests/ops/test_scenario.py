"""What a scenario changes beside the sensors: its clock, and prices from midnight on, as both pricers see them."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from billing.pricing import price_stay
from billing.published import fetch_versions
from billing.tariff import load_tariff
from billing.versions import version_for
from core.clock import RealClock, milliseconds, parse_clock
from core.db import Database
from core.stay import Stay
from core.tables import Audit
from ops.cli import main
from ops.scenario import clock_of, publish_prices
from simulator.scenarios import Scenario, load_scenario
from simulator.slow_pricer import slow_fee

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGINS_AT = datetime(2026, 3, 12, 20, 0, tzinfo=SHANGHAI)
MIDNIGHT = datetime(2026, 3, 13, tzinfo=SHANGHAI)


@pytest.mark.services
async def test_who_came_before_midnight_pays_the_old_price(database_url: str) -> None:
    scenario = load_scenario("price-change-at-midnight")
    database = Database(database_url)
    async with database.transaction() as db:
        for _ in range(2):
            await publish_prices(db, scenario, begins_at=BEGINS_AT, zone=SHANGHAI)
        published = await fetch_versions(db, "xinchang-kerb")
        audited = (await db.scalars(select(Audit.actor).where(Audit.actor.like("scenario %")))).all()
    await database.close()
    assert [one.version for one in published] == [1, 2]
    assert len(audited) == 1
    versions = [load_tariff(json.dumps(one.document).encode()) for one in published]
    changes = scenario.prices_from(BEGINS_AT, SHANGHAI)
    for entered_at in (MIDNIGHT - timedelta(hours=5), MIDNIGHT - timedelta(milliseconds=1), MIDNIGHT):
        for hours in (1, 9, 12.5, 30):
            stay = Stay(entered_at=entered_at, left_at=entered_at + timedelta(hours=hours))
            billed = price_stay(version_for(versions, stay), stay, zone=SHANGHAI).total_fen
            walked = slow_fee(
                "xinchang-kerb", milliseconds(stay.entered_at), milliseconds(stay.left_at), SHANGHAI, changes
            )
            assert billed == walked, (entered_at, hours)


def test_a_scenarios_clock_begins_on_its_day_and_runs_at_its_speed() -> None:
    storm = load_scenario("storm-night")
    clock = parse_clock(clock_of(storm, SHANGHAI))
    begins_at = storm.begins_at(RealClock().now(), SHANGHAI)
    assert clock.speed == storm.speed
    assert abs(clock.now() - begins_at) < timedelta(minutes=30)
    assert parse_clock(clock_of(storm, SHANGHAI, speed=7)).speed == 7


def test_a_scenario_that_says_nothing_of_time_runs_on_real_time() -> None:
    assert clock_of(Scenario(name="mine", zh="我的", en="Mine"), SHANGHAI) == ""


def test_scenarios_are_listed_and_checked_where_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARKING_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("PARKING_MQTT_URL", raising=False)
    with pytest.raises(SystemExit):
        main(["simulate", "--list"])
    assert "storm-night" in capsys.readouterr().out
    mistaken = tmp_path / "mine.yaml"
    mistaken.write_text("zh: 我的\nen: Mine\nspeeed: 3\n")
    with pytest.raises(SystemExit):
        main(["simulate", "--scenario", str(mistaken)])
    said = " ".join(capsys.readouterr().err.split())
    assert "line 3" in said
    assert "did you mean 'speed'" in said
