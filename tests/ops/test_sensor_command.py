"""`parking sensor`, as a user runs it, with the real ingest behind it."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.clock import instant, rfc3339
from core.errors import ParkingError, SpaceWatchedError
from ops.commands.sensor import app
from tests.support.street import Street

pytestmark = pytest.mark.services

MINUTE = 60_000


@pytest.fixture
def installed(street: Street, monkeypatch: pytest.MonkeyPatch) -> Street:
    """The street, where commands look for their database."""
    monkeypatch.setenv("PARKING_DATABASE_URL", street.database_url)
    monkeypatch.delenv("PARKING_CLOCK", raising=False)
    return street


async def run(*words: str) -> Result:
    """Run the command in a thread, as it runs a loop of its own."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(words), env={"COLUMNS": "200"}))


async def good(*words: str) -> str:
    result = await run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


async def test_a_sensor_is_swapped_adopted_and_seen(installed: Street) -> None:
    street = installed
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)
    old, new, stranger = street.sensor("KL-001"), f"{street.prefix}-new", f"{street.prefix}-stranger"
    swapped = now_ms - 120 * MINUTE
    street.send("KL-001", occupied=True, at_ms=now_ms - 300 * MINUTE)
    street.send("KL-001", occupied=False, at_ms=now_ms - 240 * MINUTE)
    for sensor, minutes in ((new, 100), (new, 70), (stranger, 60)):
        payload = json.dumps({"at": now_ms - minutes * MINUTE, "occupied": minutes != 70, "kind": "change"})
        street.publish(f"parking/test/{sensor}/up", payload)
    await street.until_readings(2)
    await street.until_refusals(3)

    assert stranger in await good("unknown")
    told = await good("swap", old, new, "--at", rfc3339(instant(swapped)))
    assert "0 readings moved, 2 taken in, 0 set aside" in told
    assert len(await street.times()) == 2

    await good("unassign", street.sensor("KL-002"), "--at", rfc3339(instant(now_ms - 90 * MINUTE)))
    assert "1 taken in" in await good("adopt", stranger, "KL-002", "--model", "P-1", "--battery-low", "3100")
    assert stranger not in await good("unknown")
    shown = await good("show", stranger)
    assert "KL-002" in shown
    assert "battery low mv: 3100" in shown
    assert "unassigned" in await good("list", "--verdict", "unassigned")
    assert "KL-001" in await good("show", old), "the past stays"


async def test_what_cannot_be_is_refused(installed: Street) -> None:
    result = await run("assign", installed.sensor("KL-001"), "KL-002")
    assert isinstance(result.exception, SpaceWatchedError)
    result = await run("add", "a/b")
    assert isinstance(result.exception, ParkingError)
    result = await run("unassign", installed.sensor("KL-001"), "--at", "yesterday")
    assert isinstance(result.exception, ParkingError)


async def test_a_file_goes_out_and_in_and_is_refused_with_every_line(installed: Street, tmp_path: Path) -> None:
    out = await good("export")
    file = tmp_path / "sensors.csv"
    file.write_text(out)
    assert "0 added, 0 changed, 10 unchanged; 0 watch another space now" in await good("import", str(file))
    assert await good("export") == out

    file.write_text(out.replace(",KL-003,", ",KL-999,").replace("native", "acme", 1))
    result = await run("import", str(file))
    assert result.exit_code == 1
    assert "line 2: there is no codec 'acme'" in result.stderr
    assert "line 4: no space has the code 'KL-999'" in result.stderr
    assert await good("export") == out

    swapped = out.replace(installed.sensor("KL-003"), "x-1", 1)
    file.write_text(f"{swapped}{installed.sensor('KL-003')},native,3600,,,,,,\n")
    assert "1 added, 0 changed, 10 unchanged; 1 watch another space now, 1 none any more" in await good(
        "import", str(file)
    )
    assert "KL-003" in await good("show", "x-1")


async def test_every_verdict_has_its_rule_in_words(installed: Street) -> None:
    assert "3 heartbeat intervals" in await good("rules")
    assert "3 个心跳周期" in await good("rules", "--lang", "zh")


async def test_a_change_of_the_entry_keeps_what_is_not_given(installed: Street) -> None:
    sensor = installed.sensor("KL-004")
    await good("change", sensor, "--maker", "Example", "--heartbeat", "900")
    await good("change", sensor, "--note", "behind the bus stop")
    row = await installed.db.fetchrow("SELECT maker, heartbeat_seconds, note FROM sensor WHERE code = $1", sensor)
    assert tuple(row) == ("Example", 900, "behind the bus stop")
    actions = await installed.db.fetch("SELECT actor, action FROM audit ORDER BY id")
    assert [tuple(row) for row in actions] == [("command", "sensor.changed")] * 2
