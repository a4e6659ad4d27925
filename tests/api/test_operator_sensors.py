"""The sensor registry through the operator's door: lists, histories, changes with their audit, files."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.passwords import hash_password
from core.clock import rfc3339
from core.roles import Role
from core.sensor import VerdictRules
from ops.sensor_watch import judge_sensors, keep_verdicts
from tests.api.conftest import Api
from tests.api.town import HEARTBEAT, Town, now

pytestmark = pytest.mark.services

PASSWORD = "correct horse"
CHANGE = {"X-Requested-With": "tests", "Accept-Language": "en"}
OPERATOR = "/api/v1/operator"


async def as_role(api: Api, town: Town, role: Role) -> None:
    await town.operator(role.value, role.value, hash_password(PASSWORD))
    body = {"login": role.value, "password": PASSWORD}
    assert (await api.client.post(f"{OPERATOR}/login", json=body)).status_code == 200


async def post(api: Api, path: str, **body: Any) -> httpx.Response:
    return await api.client.post(f"{OPERATOR}{path}", json=body, headers=CHANGE)


async def execute(town: Town, statement: str, **values: Any) -> None:
    async with town.database.transaction() as db:
        await db.execute(text(statement), values)


async def heard(town: Town, sensor: str, *, ago: timedelta, battery_mv: int = 3_600) -> datetime:
    """What ingest writes when a sensor was heard; when that was."""
    at = now() - ago
    await execute(
        town,
        """
        INSERT INTO sensor_state (sensor_id, last_heard_at, observed_at, boot, seq, battery_mv)
        SELECT id, :at, :at, -1, -1, :battery_mv FROM sensor WHERE code = :code
        """,
        at=at,
        code=sensor,
        battery_mv=battery_mv,
    )
    return at


async def judge(town: Town) -> None:
    """What the worker does every minute."""
    async with town.database.transaction() as db:
        await keep_verdicts(db, await judge_sensors(db, VerdictRules(), now=now()), now=now())


async def test_the_worst_sensors_come_first_and_every_verdict_says_its_rule(api: Api, town: Town) -> None:
    await as_role(api, town, Role.WARDEN)
    await heard(town, "s-ka-001", ago=timedelta(0))
    silent = await heard(town, "s-ka-002", ago=4 * HEARTBEAT, battery_mv=2_700)
    await heard(town, "s-ka-003", ago=2 * HEARTBEAT)
    await judge(town)

    page = await api.json(f"{OPERATOR}/sensors", headers={"Accept-Language": "en"})
    assert [(one["sensor_id"], one["verdicts"]) for one in page["sensors"]] == [
        ("s-ka-002", ["silent", "low-battery"]),
        ("s-kb-001", ["never-heard"]),
        ("s-kb-002", ["never-heard"]),
        ("s-ka-003", ["late"]),
        ("s-ka-001", ["online"]),
    ]
    assert {one["verdict"]: one["sensors"] for one in page["verdicts"]} == {
        **dict.fromkeys(("stuck", "flapping"), 0),
        "silent": 1,
        "low-battery": 1,
        "never-heard": 2,
        "late": 1,
        "online": 1,
    }
    assert "3 heartbeat intervals" in page["verdicts"][0]["rule"]
    assert page["sensors"][0]["verdict_since"] == rfc3339(silent + 3 * HEARTBEAT)

    chinese = await api.json(f"{OPERATOR}/sensors", params={"verdict": "low-battery", "limit": 1})
    assert (chinese["total"], chinese["verdicts"][0]["name"]) == (1, "失联")
    of_lot = await api.json(f"{OPERATOR}/sensors", params={"lot": "KB", "offset": 1})
    assert (of_lot["total"], [one["sensor_id"] for one in of_lot["sensors"]]) == (2, ["s-kb-002"])


async def test_a_swap_keeps_the_past_and_leaves_an_audit_of_both(api: Api, town: Town) -> None:
    await as_role(api, town, Role.OPERATOR)
    at = rfc3339(now() - timedelta(hours=5))
    answer = await post(api, "/sensors/s-ka-001/swap", new_sensor_id="new-1", at=at)
    assert answer.status_code == 200
    new = answer.json()
    assert new["watches"] == [{"space_code": "KA-001", "lot_id": "KA", "begins": at, "ends": None}]
    assert new["heartbeat_seconds"] == HEARTBEAT.total_seconds(), "the new one is registered like the old one"
    assert [one["done_at"] for one in new["reassignments"]] == [None], "ingest looks at the readings again"

    old = await api.json(f"{OPERATOR}/sensors/s-ka-001")
    assert old["watches"] == [{"space_code": "KA-001", "lot_id": "KA", "begins": None, "ends": at}]
    assert (old["space_code"], old["verdict"]) == (None, None)
    audit = await town.scalar(
        "SELECT json_agg(json_build_array(actor, action, subject) ORDER BY id) FROM audit WHERE subject LIKE 'sensor:%'"
    )
    assert audit == [
        ["operator:operator", "sensor.added", "sensor:new-1"],
        ["operator:operator", "sensor.swapped", "sensor:s-ka-001"],
        ["operator:operator", "sensor.swapped", "sensor:new-1"],
    ]

    earlier = rfc3339(now() - timedelta(hours=7))
    again = (await post(api, "/sensors/s-ka-001/swap", new_sensor_id="new-1", at=earlier)).json()
    assert again["watches"][0]["begins"] == earlier


async def test_what_cannot_be_is_refused_with_what_helps(api: Api, town: Town) -> None:
    await as_role(api, town, Role.OPERATOR)
    watched = await post(api, "/sensors/s-ka-001/assign", space_code="KB-001")
    assert (watched.status_code, watched.json()["type"]) == (409, "/problems/space-watched")
    assert watched.json()["facts"] == {"space_code": "KB-001", "sensor_id": "s-kb-001"}
    nowhere = await post(api, "/sensors/s-ka-001/assign", space_code="XX-1")
    assert (nowhere.status_code, nowhere.json()["type"]) == (404, "/problems/space-not-found")
    nobody = await post(api, "/sensors/nobody/unassign")
    assert (nobody.status_code, nobody.json()["type"]) == (404, "/problems/sensor-not-found")
    tomorrow = await post(api, "/sensors/s-ka-001/unassign", at=rfc3339(now() + timedelta(days=1)))
    assert tomorrow.status_code == 422
    twice = await post(api, "/sensors", sensor_id="s-ka-001")
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/sensor-exists")
    codec = await post(api, "/sensors", sensor_id="x-1", codec="acme")
    assert codec.status_code == 422
    third = await post(api, "/sensors/s-ka-001/swap", new_sensor_id="s-ka-001")
    assert third.status_code == 422
    assert await town.scalar("SELECT count(*) FROM reassignment") == 0


async def test_only_operators_change_the_registry(api: Api, town: Town) -> None:
    assert (await api.get(f"{OPERATOR}/sensors")).status_code == 401
    await as_role(api, town, Role.WARDEN)
    assert (await api.get(f"{OPERATOR}/sensors")).status_code == 200
    assert (await post(api, "/sensors", sensor_id="x-1")).status_code == 403
    forged = await api.client.post(f"{OPERATOR}/sensors", json={"sensor_id": "x-1"})
    assert forged.status_code == 403


async def test_an_unknown_sender_is_listed_and_adopted(api: Api, town: Town) -> None:
    await as_role(api, town, Role.OPERATOR)
    await execute(
        town,
        """
        INSERT INTO refusal (digest, reason, detail, topic, sensor, observed_at, payload, payload_bytes,
                             first_received_at, last_received_at, times)
        SELECT n::text::bytea, 'unknown-sensor', '', 'parking/x/new-9/up', 'new-9',
               CAST(:now AS timestamptz) - n * interval '1 hour', '', 0, :now, :now, n
        FROM generate_series(1, 3) AS n
        """,
        now=now(),
    )
    (stranger,) = await api.json(f"{OPERATOR}/unknown-senders")
    assert (stranger["sensor_id"], stranger["times"], stranger["kinds"]) == ("new-9", 6, 3)
    taken = await post(api, "/unknown-senders/new-9/adopt", space_code="KA-001")
    assert taken.status_code == 409
    left = rfc3339(now() - timedelta(hours=2))
    assert (await post(api, "/sensors/s-ka-001/unassign", at=left)).status_code == 200
    adopted = await post(api, "/unknown-senders/new-9/adopt", space_code="KA-001", model="P-1")
    assert adopted.status_code == 201
    assert adopted.json()["model"] == "P-1"
    assert adopted.json()["watching_since"] == left, "not before the old one stopped"
    assert await api.json(f"{OPERATOR}/unknown-senders") == []


async def test_a_file_goes_out_and_in_unchanged_and_is_refused_as_a_whole(api: Api, town: Town) -> None:
    await as_role(api, town, Role.OPERATOR)
    await post(api, "/sensors/s-ka-001/swap", new_sensor_id="new-1", at=rfc3339(now() - timedelta(hours=5)))
    out = await api.get(f"{OPERATOR}/sensors.csv")
    assert out.headers["content-type"].startswith("text/csv")
    again = await post(api, "/sensors/import", csv=out.text)
    assert again.json() == {"added": 0, "changed": 0, "unchanged": 6, "assigned": 0, "unassigned": 0}
    assert (await api.get(f"{OPERATOR}/sensors.csv")).text == out.text

    wrong = "sensor_id,heartbeat_seconds,space_code\nnew-2,0,KA-002\nnew-3,60,XX-1\ns-ka-003,60,\n"
    refused = await post(api, "/sensors/import", csv=wrong)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/sensor-file-refused")
    assert refused.json()["facts"]["problems"] == [
        "line 2: heartbeat_seconds is a whole number from 1 to 604800, not '0'",
        "line 2: KA-002 would be watched by new-2 and s-ka-002 at the same time",
        "line 3: no space has the code 'XX-1'",
    ]
    assert (await api.get(f"{OPERATOR}/sensors.csv")).text == out.text
