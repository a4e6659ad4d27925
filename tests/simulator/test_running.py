"""The simulator as a process: what it writes down is what arrives, whoever is killed on the way."""

import asyncio
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import milliseconds
from core.wire import parse_instant
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.sensors import read_city
from simulator.sent import unpack
from simulator.status import Status
from simulator.truth import Checkpoint, Header, read_lines
from simulator.world import FIRST_BOOT
from tests.simulator.conftest import Listener, OwnBroker
from tests.support.county import city_file, sent_until
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.services

START_MS = milliseconds(datetime(2026, 3, 10, 4, 0, tzinfo=UTC))
SPEED = 1_200


class Run:
    """One simulated county of sixty spaces, an hour passing in three seconds; may be killed and started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.truth = folder / "truth.jsonl"
        self.status_file = folder / "status.json"
        self.city = folder / "city.geojson"
        self.city.write_text(json.dumps(city_file(spaces=60, lots=6)))
        self.environment = {
            **os.environ,
            "PARKING_MQTT_URL": url,
            "PARKING_CLOCK": f"{time.time_ns() // 1_000_000}/{START_MS}/{SPEED}",
        }
        self.processes: list[asyncio.subprocess.Process] = []

    async def start(self, *options: str) -> asyncio.subprocess.Process:
        files = ["--city", str(self.city), "--truth", str(self.truth), "--status-file", str(self.status_file)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "--history", "3h", *files, *options),
            env=self.environment,
            stderr=asyncio.subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def status(self) -> Status | None:
        if not self.status_file.exists():
            return None
        said = json.loads(self.status_file.read_bytes())
        return Status(**said)

    async def until_live(self) -> None:
        self.status_file.unlink(missing_ok=True)

        async def live() -> bool:
            status = self.status()
            return status is not None and status.phase == "live" and status.complete_until is not None

        await until(live)

    async def stop(self) -> Checkpoint:
        """Ask it to end; its last word in the truth."""
        process = self.processes[-1]
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
        assert process.returncode == 0, said.decode()
        _, checkpoint = self.told()
        assert checkpoint.final
        return checkpoint

    def told(self) -> tuple[Header, Checkpoint]:
        lines = list(read_lines(self.truth))
        header, checkpoint = lines[0].truth, [line.checkpoint for line in lines if line.checkpoint][-1]
        assert header is not None
        return header, checkpoint

    def readings(self) -> set[tuple[str, int, int, int, bool, str]]:
        """Identities of all readings that the truth tells, each of them once."""
        sensors = [line.space.sensor_id for line in read_lines(self.truth) if line.space]
        told = [one for line in read_lines(self.truth) if line.readings for one in unpack(line.readings)]
        found = {(sensors[one.number], one.at_ms, one.boot, one.seq, one.occupied, one.kind.value) for one in told}
        assert len(found) == len(told)
        return found

    def expected(self) -> set[tuple[str, int, int, int, bool, str]]:
        """Identities of all readings that were sent, by the world alone."""
        header, checkpoint = self.told()
        city = read_city(self.city.read_bytes())
        return {
            (city.watched[one.number].sensor, one.at_ms, FIRST_BOOT, one.seq, one.occupied, one.kind.value)
            for one in sent_until(city, header, parse_instant(checkpoint.complete_until))
        }


@pytest.fixture
def run(tmp_path: Path, broker: OwnBroker) -> Run:
    return Run(tmp_path, broker.url)


async def until_arrived(listener: Listener, expected: set[tuple[str, int, int, int, bool, str]]) -> None:
    async def arrived() -> bool:
        return listener.identities() >= expected

    await until(arrived)


async def test_what_the_truth_says_was_sent_arrives(run: Run, listener: Listener) -> None:
    await run.start("--repeat", "0.1", "--late", "0.1", "--lost", "0.05")
    await run.until_live()
    await asyncio.sleep(1)
    checkpoint = await run.stop()
    await until_arrived(listener, run.expected())
    assert listener.identities() == run.expected() == run.readings()
    assert checkpoint.readings == len(run.expected())
    fingerprint = Fingerprint()
    for sensor, at_ms, boot, seq, occupied, kind in run.expected():
        fingerprint.add(reading_hash(sensor, at_ms, boot, seq, occupied=occupied, kind=kind))
    assert checkpoint.fingerprint == str(fingerprint)
    assert checkpoint.published == checkpoint.acknowledged == listener.messages
    assert listener.messages == checkpoint.readings + checkpoint.repeated
    assert min(checkpoint.repeated, checkpoint.late, checkpoint.lost) > 0


async def test_late_messages_arrive_out_of_order(run: Run, listener: Listener) -> None:
    await run.start("--late", "0.2", "--late-up-to", "2h")
    await run.until_live()
    await run.stop()
    await until_arrived(listener, run.expected())
    numbers: dict[str, list[int]] = {}
    for said in listener.readings:
        numbers.setdefault(said["sensor"], []).append(said["seq"])
    assert any(order != sorted(order) for order in numbers.values())


async def test_gateways_send_arrays_of_the_same_readings(run: Run, listener: Listener) -> None:
    await run.start("--gateways", "3")
    await run.until_live()
    checkpoint = await run.stop()
    await until_arrived(listener, run.expected())
    assert listener.identities() == run.expected()
    assert listener.messages == checkpoint.published < checkpoint.readings / 2


async def test_a_killed_simulator_goes_on_with_the_same_life(run: Run, listener: Listener) -> None:
    for _ in range(3):
        process = await run.start()
        await run.until_live()
        await asyncio.sleep(0.7)
        process.kill()
        await process.communicate()
    await run.start()
    await run.until_live()
    await run.stop()
    await until_arrived(listener, run.expected())
    _, checkpoint = run.told()
    later = {one for one in listener.identities() if one[1] > parse_instant(checkpoint.complete_until)}
    assert listener.identities() - later == run.expected() == run.readings()
    assert checkpoint.readings == len(run.expected())


async def test_a_killed_simulator_tells_every_reading_of_clocks_that_run_ahead(run: Run, listener: Listener) -> None:
    """Such a reading may be sent before the death and settled only after it."""
    scenario = run.folder / "drift.yaml"
    scenario.write_text(
        "zh: 快慢\nen: Drift\nhistory: 3h\nfaults:\n  drifting-clock: {share: 100%, lasts: 20h, up-to: 4m}\n"
    )
    for _ in range(2):
        process = await run.start("--scenario", str(scenario))
        await run.until_live()
        await asyncio.sleep(0.7)
        process.kill()
        await process.communicate()
    await run.start("--scenario", str(scenario))
    await run.until_live()
    checkpoint = await run.stop()
    assert checkpoint.readings == len(run.readings())
    await until_arrived(listener, run.readings())
    later = {one for one in listener.identities() if one[1] > parse_instant(checkpoint.complete_until)}
    assert listener.identities() - later == run.readings()


async def test_a_restarted_broker_costs_no_reading(run: Run, broker: OwnBroker, listener: Listener) -> None:
    await run.start()
    await run.until_live()
    for _ in range(2):
        await asyncio.to_thread(broker.restart)
        await run.until_live()
        await asyncio.sleep(0.5)
    checkpoint = await run.stop()
    assert checkpoint.published == checkpoint.acknowledged
    await until_arrived(listener, run.expected())
    assert listener.identities() == run.expected()


async def test_a_killed_broker_is_waited_for_and_told_everything_it_had_not_acknowledged(
    run: Run, broker: OwnBroker
) -> None:
    await run.start()
    await run.until_live()
    broker.kill()
    before = run.told()[1].complete_until
    await asyncio.sleep(1.5)
    await asyncio.to_thread(broker.restart)
    await run.until_live()
    checkpoint = await run.stop()
    assert checkpoint.published == checkpoint.acknowledged
    assert parse_instant(checkpoint.complete_until) - parse_instant(before) > 1.5 * 1_000 * SPEED * 0.9


async def test_a_broker_that_refuses_us_is_named_at_once(run: Run) -> None:
    run.environment["PARKING_MQTT_URL"] = run.environment["PARKING_MQTT_URL"].replace("tester:", "tester:x")
    process = await run.start()
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    assert b"refuses us" in said
    assert b"Traceback" not in said


async def test_the_time_is_up_by_itself(run: Run) -> None:
    process = await run.start("--minutes", "0.02", "--status-file", "-")
    await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0
    assert run.told()[1].final
