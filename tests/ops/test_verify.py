"""``parking verify``: every way in which the stored can differ from the true is found and said in words."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.clock import RealClock, instant, milliseconds
from core.db import Database
from core.errors import InvalidError
from core.wire import parse_instant
from ops.jobs import bill_sessions
from ops.verify import Report, TruthOfAnotherCityError, Why, load_truth, verify
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.truth import Checkpoint, Header, Line, SpaceLine, StayLine, TruthFile
from tests.support.street import Street
from tests.support.waiting import PATIENCE_SECONDS, until

DAY = "2026-03-10"
UNTIL = f"{DAY}T12:00:00.000Z"


def at(clock: str) -> str:
    """``10:15`` or ``10:15:00.250`` of the day, as in the file."""
    parts = clock.split(":")
    seconds = parts[2] if len(parts) > 2 else "00.000"
    return f"{DAY}T{parts[0]}:{parts[1]}:{seconds}Z"


def header(**changes: Any) -> Header:
    plain = Header(
        city="a street",
        city_digest="",
        spaces=10,
        seed=1,
        begins_at=f"{DAY}T00:00:00.000Z",
        zone="Asia/Shanghai",
        clock="",
        repeat=0.0,
        late=0.0,
        late_up_to_ms=1,
        lost=0.0,
        walked_tariffs=["xinchang-kerb"],
    )
    return msgspec.structs.replace(plain, **changes)


class Told:
    """A truth by hand about a street, and the same stored in its database, so that one thing can be made wrong."""

    def __init__(self, street: Street, path: Path) -> None:
        self.street = street
        self.path = path
        self.lines: list[Line] = []
        self.fingerprint = Fingerprint()
        self.readings = 0

    async def stay(
        self, space: str, begin: str, end: str | None, fee_fen: int | None = None, *, stored: bool = True
    ) -> str:
        """A stay that really happened, by default with its session and its bill; the session's id."""
        left_at = at(end) if end else None
        self.lines.append(Line(stay=StayLine(space, self.street.sensor(space), "KL", at(begin), left_at, fee_fen)))
        return await self.store(space, begin, end, fee_fen) if stored else ""

    async def store(
        self, space: str, begin: str, end: str | None, fee_fen: int | None = None, *, status: str | None = None
    ) -> str:
        """A session, and a bill where a fee is given."""
        session_id = await self.street.db.fetchval(
            """
            INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why,
                                         recorded_at, revised_at)
            SELECT space.id, sensor.id, $3, $4, $5, 'change', $6, now(), now()
            FROM space, sensor WHERE space.code = $1 AND sensor.code = $2 RETURNING id
            """,
            space,
            self.street.sensor(space),
            status or ("ended" if end else "open"),
            datetime.fromisoformat(at(begin)),
            datetime.fromisoformat(at(end)) if end else None,
            "change" if end else None,
        )
        if fee_fen is not None:
            await self.street.db.execute(
                """
                INSERT INTO bill (session_id, session_revision, tariff_version_id, total_fen, fee, issued_at)
                SELECT $1, 1, tariff_version.id, $2, '{}', now() FROM tariff_version LIMIT 1
                """,
                session_id,
                fee_fen,
            )
        return str(session_id)

    async def reading(self, space: str, clock: str, seq: int, *, stored: bool = True) -> None:
        """A heartbeat that was sent, by default stored too."""
        sensor, at_ms = self.street.sensor(space), parse_instant(at(clock))
        self.fingerprint.add(reading_hash(sensor, at_ms, 1, seq, occupied=False, kind="heartbeat"))
        self.readings += 1
        if stored:
            await self.store_reading(space, clock, seq)

    async def store_reading(self, space: str, clock: str, seq: int) -> None:
        await self.street.db.execute(
            """
            INSERT INTO reading (observed_at, sensor_id, boot, seq, occupancy, kind, space_id, received_at, topic, raw)
            SELECT $2, sensor.id, 1, $3, 'free', 'heartbeat', space.id, now(), '', ''
            FROM sensor, space WHERE sensor.code = $1 AND space.code = $4
            """,
            self.street.sensor(space),
            instant(parse_instant(at(clock))),
            seq,
            space,
        )

    def write(self, **changes: Any) -> Path:
        """The truth file, settled until noon."""
        spaces = [
            SpaceLine(f"KL-{n:03d}", self.street.sensor(f"KL-{n:03d}"), "KL", "xinchang-kerb") for n in range(1, 11)
        ]
        self.path.unlink(missing_ok=True)
        with TruthFile(self.path, header(**changes), spaces) as file:
            for line in self.lines:
                file.write(line)
            file.settle(Checkpoint(complete_until=UNTIL, readings=self.readings, fingerprint=str(self.fingerprint)))
        return self.path

    async def report(self) -> Report:
        return await verify(self.street.database_url, self.write())


@pytest.fixture
async def told(street: Street, tmp_path: Path) -> Told:
    """Three right stays and two right readings."""
    told = Told(street, tmp_path / "truth.jsonl")
    await told.stay("KL-001", "01:00", "02:15", 600)
    await told.stay("KL-001", "03:00", "03:20", 0)
    await told.stay("KL-002", "11:00:00.001", None)
    await told.reading("KL-001", "00:30", 1)
    await told.reading("KL-001", "01:30", 2)
    return told


def only(report: Report) -> tuple[Why, str | None, str]:
    (difference,) = report.differences
    return difference.why, difference.space, difference.detail


@pytest.mark.services
class TestTheStreet:
    async def test_is_as_it_was(self, told: Told) -> None:
        report = await told.report()
        assert report.is_equal
        assert (report.stays, report.equal, report.still_there, report.fees_compared) == (3, 3, 1, 2)
        assert (report.true_fen, report.billed_fen) == (600, 600)
        assert (report.readings_sent, report.readings_stored) == (2, 2)

    async def test_lacks_a_session(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        assert only(await told.report()) == (
            Why.MISSING,
            "KL-003",
            "no session for the stay until 2026-03-10T06:00:00.000Z",
        )

    async def test_has_a_session_that_never_was(self, told: Told) -> None:
        await told.store("KL-003", "05:00", "06:00", 300)
        why, space, detail = only(await told.report())
        assert (why, space) == (Why.EXTRA, "KL-003")
        assert "no vehicle came" in detail

    async def test_has_a_session_that_began_a_little_late(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00:01.250", "06:00", 300)
        why, _, detail = only(await told.report())
        assert why is Why.BEGIN
        assert detail.startswith("begins 1250 ms too late")

    async def test_has_a_session_that_ended_a_millisecond_early(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00", "05:59:59.999", 300)
        assert only(await told.report()) == (Why.END, "KL-003", "ends 1 ms too early")

    async def test_has_a_wrong_fee(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00", "06:00", 600)
        assert only(await told.report()) == (Why.FEE, "KL-003", "billed 600 fen, by the notice 300 fen")

    async def test_has_no_bill_yet(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00", "06:00")
        assert only(await told.report())[0] is Why.NOT_BILLED

    async def test_has_a_bill_of_an_older_revision(self, told: Told) -> None:
        session_id = await told.stay("KL-003", "05:00", "06:00", 300)
        await told.street.db.execute("UPDATE parking_session SET revision = 2 WHERE id = $1", session_id)
        assert only(await told.report()) == (
            Why.NOT_BILLED,
            "KL-003",
            "billed at revision 1, the session is at revision 2",
        )

    async def test_has_an_open_session_of_a_vehicle_that_left(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00", None)
        assert only(await told.report())[0] is Why.NOT_ENDED

    async def test_has_ended_a_session_of_a_vehicle_that_is_there(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", None, stored=False)
        await told.store("KL-003", "05:00", "06:00", 300)
        assert only(await told.report())[0] is Why.ENDED_EARLY

    async def test_has_an_unsure_session(self, told: Told) -> None:
        session_id = await told.stay("KL-003", "05:00", "06:00", 300)
        await told.street.db.execute(
            "UPDATE parking_session SET unsure = true, unsure_why = 'silence' WHERE id = $1", session_id
        )
        assert only(await told.report()) == (Why.UNSURE, "KL-003", "marked unsure: silence")

    async def test_charges_for_a_void_session(self, told: Told) -> None:
        await told.store("KL-003", "05:00", "06:00", 300, status="void")
        assert only(await told.report())[0] is Why.VOID_CHARGED

    async def test_may_have_void_sessions_that_cost_nothing(self, told: Told) -> None:
        await told.store("KL-001", "01:00", "02:15", 0, status="void")
        assert (await told.report()).is_equal

    async def test_lacks_a_reading(self, told: Told) -> None:
        await told.reading("KL-001", "02:30", 3, stored=False)
        await told.reading("KL-001", "03:30", 4)
        why, _, detail = only(await told.report())
        assert why is Why.READINGS
        assert detail.startswith("4 sent, 3 stored (-1); numbers missing: all of 9 sensors")
        assert f"1 of {told.street.sensor('KL-001')}'s first 4" in detail

    async def test_has_a_reading_that_nobody_sent_in_the_place_of_one(self, told: Told) -> None:
        await told.reading("KL-001", "02:30", 3, stored=False)
        await told.store_reading("KL-001", "02:31", 3)
        assert only(await told.report()) == (Why.READINGS, None, "3 sent and as many stored, but not the same ones")

    async def test_may_know_more_than_the_truth_has_settled(self, told: Told) -> None:
        await told.stay("KL-003", "11:00", "12:30", 600)
        await told.stay("KL-004", "12:01", None)
        await told.store("KL-005", "12:01", None)
        await told.store_reading("KL-001", "12:01", 3)
        report = await told.report()
        assert report.is_equal
        assert (report.stays, report.still_there) == (4, 2)

    async def test_is_given_time_to_catch_up(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        looks: list[int] = []

        async def catch_up() -> None:
            await until(lambda: asyncio.sleep(0, bool(looks)))
            await told.store("KL-003", "05:00", "06:00", 300)

        waiting = asyncio.create_task(catch_up())
        report = await verify(
            told.street.database_url,
            told.write(),
            wait_seconds=20,
            progress=lambda seen: looks.append(len(seen.differences)),
        )
        await waiting
        assert report.is_equal
        assert looks[0] == 1

    async def test_is_not_another_city(self, told: Told) -> None:
        await told.street.db.execute("UPDATE sensor SET code = 'swapped' WHERE code = $1", told.street.sensor("KL-004"))
        with pytest.raises(TruthOfAnotherCityError, match="1 of its 10 spaces"):
            await told.report()

    async def test_is_not_another_installation(self, told: Told) -> None:
        path = told.write(installation="aaaa")
        assert (await verify(told.street.database_url, path, installation="aaaa")).is_equal
        with pytest.raises(TruthOfAnotherCityError, match="another installation"):
            await verify(told.street.database_url, path, installation="bbbb")

    async def test_is_told_about_on_the_command_line(self, told: Told) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00", "06:00", 600)
        path = told.write()

        def command(*options: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "ops.cli", "verify", str(path), "--wait", "0", *options],
                env={**os.environ, "PARKING_DATABASE_URL": told.street.database_url},
                capture_output=True,
                text=True,
                check=False,
            )

        said = command()
        assert said.returncode == 1
        assert "billed 600 fen, by the notice 300 fen" in said.stdout
        as_json = command("--json")
        assert as_json.returncode == 1
        assert json.loads(as_json.stdout)["counts"] == {"fee differs": 1}
        await told.street.db.execute("ALTER TABLE bill DISABLE TRIGGER bill_is_immutable")
        await told.street.db.execute(
            "UPDATE bill SET total_fen = 300 WHERE total_fen = 600 AND session_id IN "
            "(SELECT id FROM parking_session WHERE entered_at::time = '05:00')"
        )
        said = command()
        assert (said.returncode, "Everything is as it really was" in said.stdout) == (0, True)


@pytest.mark.services
async def test_a_simulated_street_is_equal_to_its_truth_though_ingest_is_killed_twice(
    street: Street, tmp_path: Path
) -> None:
    """Simulator, broker, ingest, sessions, bills, verify: the whole path, with repeats and late messages."""
    truth, status = tmp_path / "truth.jsonl", tmp_path / "status.json"
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps(_city_of(street)))
    start_ms = milliseconds(datetime(2026, 3, 10, 4, 0, tzinfo=UTC))
    street.environment["PARKING_CLOCK"] = f"{time.time_ns() // 1_000_000}/{start_ms}/1200"
    await street.start_ingest()
    options = ("--history", "2d", "--repeat", "0.1", "--late", "0.1", "--late-up-to", "30m", "--minutes", "0.1")
    simulator = await _simulator(street, city, truth, "--status-file", str(status), *options)
    for stored in (50, 500):
        await until(_at_least(street, stored))
        await street.kill_ingest()
        await street.start_ingest()
    _, said = await asyncio.wait_for(simulator.communicate(), PATIENCE_SECONDS)
    assert simulator.returncode == 0, said.decode()

    database = Database(street.database_url)

    async def is_equal() -> bool:
        await bill_sessions(database, RealClock())
        return (await verify(street.database_url, truth)).is_equal

    await until(is_equal)
    await database.close()
    report = await verify(street.database_url, truth)
    assert report.differences == ()
    assert report.stays == report.equal > 100
    assert report.true_fen == report.billed_fen > 10_000
    assert min(report.repeated, report.late) > 0


@pytest.mark.services
async def test_a_street_on_which_everything_goes_wrong_is_as_its_readings_prove(street: Street, tmp_path: Path) -> None:
    """What was lost is not known to anybody; but nothing is stored or charged that no reading says."""
    truth, city, scenario = tmp_path / "truth.jsonl", tmp_path / "city.geojson", tmp_path / "bad-day.yaml"
    city.write_text(json.dumps(_city_of(street)))
    scenario.write_text(
        "zh: 坏日子\nen: A bad day\nhistory: 3d\nfaults:\n  repeated: 5%\n  late: {share: 5%, up-to: 2h}\n  lost: 10%\n"
        "  flapping: {share: 30%, lasts: 10h}\n  stuck: {share: 20%, lasts: 4h}\n"
        "  drifting-clock: {share: 30%, lasts: 10h, up-to: 2m}\n  reset-counter: {share: 30%}\n"
        "  power-cut: {share: 50%, lasts: 50m}\n"
    )
    start_ms = milliseconds(datetime(2026, 3, 10, 4, 0, tzinfo=UTC))
    street.environment["PARKING_CLOCK"] = f"{time.time_ns() // 1_000_000}/{start_ms}/1"
    await street.start_ingest()
    simulator = await _simulator(street, city, truth, "--scenario", str(scenario), "--minutes", "0.05")
    _, said = await asyncio.wait_for(simulator.communicate(), PATIENCE_SECONDS)
    assert simulator.returncode == 0, said.decode()

    sent = load_truth(truth).checkpoint.readings
    await until(_at_least(street, sent))
    database = Database(street.database_url)

    async def settled() -> bool:
        await bill_sessions(database, RealClock())
        return (await verify(street.database_url, truth)).is_right

    await until(settled)
    await database.close()
    report = await verify(street.database_url, truth)
    assert report.evident > 10, report
    assert report.equal > 10
    assert report.equal + report.evident == report.stays
    assert {"drifting-clock", "flapping", "lost", "power-cut", "stuck"} <= {one.fault for one in report.by_fault}


async def _simulator(street: Street, city: Path, truth: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--city", str(city), "--truth", str(truth), *options),
        env={**os.environ, **street.environment, "PARKING_MQTT_URL": street.endpoints.mqtt_tester_url},
        stderr=asyncio.subprocess.PIPE,
    )


def _at_least(street: Street, count: int) -> Callable[[], Any]:
    async def stored() -> bool:
        return await street.readings() >= count

    return stored


def _city_of(street: Street) -> dict[str, Any]:
    lot = {"kind": "lot", "code": "KL", "name": "a street", "lot_kind": "on_street", "tariff": "xinchang-kerb"}
    spaces = [f"KL-{number:03d}" for number in range(1, 11)]
    return {
        "features": [
            {"properties": lot},
            *(
                {"properties": {"kind": "space", "code": code, "lot": "KL", "sensor_id": street.sensor(code)}}
                for code in spaces
            ),
        ]
    }


def test_a_truth_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, header(), []):
        pass
    with pytest.raises(InvalidError, match="no checkpoint yet"):
        load_truth(path)
    with pytest.raises(InvalidError, match="there is no truth file"):
        load_truth(tmp_path / "nowhere.jsonl")


def test_a_stay_told_twice_is_one_with_its_end(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, header(), [SpaceLine("A", "s", "L", None)]) as file:
        file.write(Line(stay=StayLine("A", "s", "L", at("01:00"))))
        file.write(Line(stay=StayLine("A", "s", "L", at("01:00"), at("02:00"), 300)))
        file.write(Line(stay=StayLine("A", "s", "L", at("12:30"))))
        file.settle(Checkpoint(complete_until=UNTIL))
    (stay,) = load_truth(path).stays["A"]
    assert (stay.left_ms, stay.fee_fen) == (parse_instant(at("02:00")), 300)


@pytest.mark.services
async def test_a_fee_that_a_pass_has_reduced_is_left_out_and_counted(told: Told) -> None:
    await told.street.db.execute(
        """
        WITH billed AS (
            SELECT bill.* FROM current_bill AS bill WHERE total_fen = 600
        ), changed AS (
            UPDATE parking_session SET revision = revision + 1, billed_revision = revision + 1
            FROM billed WHERE parking_session.id = billed.session_id RETURNING parking_session.id, revision
        )
        INSERT INTO bill (id, session_id, session_revision, replaces_id, tariff_version_id, total_fen, fee, issued_at)
        SELECT gen_random_uuid(), billed.session_id, changed.revision, billed.id, billed.tariff_version_id, 0,
               '{"inputs": {"covers": [{"kind": "pass"}]}}', now()
        FROM billed JOIN changed ON changed.id = billed.session_id
        """
    )
    report = await told.report()
    assert report.is_equal
    assert (report.fees_compared, report.fees_reduced, report.true_fen) == (1, 1, 0)
