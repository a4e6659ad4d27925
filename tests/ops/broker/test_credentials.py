"""Who is let in, and where each may publish: from the registry to the real broker."""

import asyncio
import json
import time
from datetime import UTC, datetime

import asyncpg
import pytest

from core.errors import InvalidError, LotNotFoundError, NotFoundError
from ops.broker.applying import apply, fetch_admitted, following
from ops.broker.credentials import Kind, Wanted, fetch_sensors, issue, revoke
from ops.broker.watching import watch
from tests.ops.broker.conftest import Place
from tests.support.talking import as_user, may_come_in, talking
from tests.support.waiting import soon, until

pytestmark = pytest.mark.services


async def issued(place: Place, *wanted: Wanted, renew: bool = False) -> dict[str, str]:
    """The URL of each user that was made, by its name."""
    async with place.database.transaction() as db:
        made = await issue(db, wanted, renew=renew, at=datetime.now(UTC))
    return {each.account.name: as_user(place.url, each.account.name, each.password) for each in made}


async def put_in_force(place: Place) -> None:
    admitted = await fetch_admitted(place.street.database_url)
    await asyncio.to_thread(apply, place.state, admitted)


def sensor(place: Place, space: str) -> Wanted:
    return Wanted(kind=Kind.SENSOR, name=place.street.sensor(space))


async def rounds(count: int) -> None:
    """Let the broker tell its figures so often: what was before is then known to ingest."""
    await asyncio.sleep(count * 5.5)


def now_ms() -> int:
    return int(time.time() * 1_000)


async def test_a_sensor_can_publish_only_as_itself(place: Place) -> None:
    mine, other = place.street.sensor("KL-001"), place.street.sensor("KL-002")
    gateway = Wanted(kind=Kind.GATEWAY, name="g1")
    urls = await issued(place, sensor(place, "KL-001"), gateway)
    await put_in_force(place)
    with talking(place.street.endpoints.mqtt_ingest_url) as ingest:
        ingest.paho.subscribe("#", qos=1)
        ingest.paho.subscribe([("parking/+/+/up", 1), ("parking/+/senml", 1), ("parking/+/gateways/+/up", 1)])
        await until(lambda: asyncio.to_thread(may_come_in, urls[f"sensor.{mine}"]))
        with talking(urls[f"sensor.{mine}"]) as talker:
            denied = (f"parking/x/{other}/up", f"parking/{other}/senml", "parking/x/gateways/g1/up", "$SYS/x", "a/b")
            for topic in (*denied, f"parking/x/{mine}/up", f"parking/y/{mine}/up", f"parking/{mine}/senml"):
                talker.say(topic)
        with talking(urls["gateway.g1"]) as talker:
            talker.say(f"parking/x/{mine}/up")
            talker.say("parking/x/gateways/g1/up")
        soon(lambda: len({topic for topic, _ in ingest.heard}) >= 4)
        assert {topic for topic, _ in ingest.heard} == {
            f"parking/x/{mine}/up",
            f"parking/y/{mine}/up",
            f"parking/{mine}/senml",
            "parking/x/gateways/g1/up",
        }


async def test_a_renewed_password_replaces_the_old_one_and_a_revoked_user_is_locked_out(place: Place) -> None:
    one = sensor(place, "KL-001")
    (old,) = (await issued(place, one)).values()
    assert await issued(place, one) == {}
    await put_in_force(place)
    await until(lambda: asyncio.to_thread(may_come_in, old))
    (new,) = (await issued(place, one, renew=True)).values()
    await put_in_force(place)
    await until(lambda: asyncio.to_thread(may_come_in, new))
    assert not await asyncio.to_thread(may_come_in, old)
    async with place.database.transaction() as db:
        assert await revoke(db, [one], at=datetime.now(UTC)) == [one]
        assert await revoke(db, [one], at=datetime.now(UTC)) == []
    await put_in_force(place)

    async def is_locked_out() -> bool:
        return not await asyncio.to_thread(may_come_in, new)

    await until(is_locked_out)
    actions = await place.street.db.fetch("SELECT action FROM audit ORDER BY id")
    assert [row["action"].partition(".")[2] for row in actions] == ["issued", "issued", "revoked"]


async def test_what_the_registry_no_longer_knows_is_locked_out_by_itself(place: Place) -> None:
    (url,) = (await issued(place, sensor(place, "KL-003"))).values()
    with following(place.state, place.street.database_url):
        await until(lambda: asyncio.to_thread(may_come_in, url))
        await place.street.db.execute("DELETE FROM sensor_assignment WHERE sensor_id = 3")
        await place.street.db.execute("DELETE FROM sensor WHERE id = 3")
        await place.street.db.execute("SELECT pg_notify('parking_registry', '')")

        async def is_locked_out() -> bool:
            return not await asyncio.to_thread(may_come_in, url)

        await until(is_locked_out)


async def test_a_change_is_put_in_force_after_the_database_was_away(place: Place) -> None:
    with following(place.state, place.street.database_url):
        server = await asyncpg.connect(place.street.database_url)
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%LISTEN%'"
        )
        await server.close()
        (url,) = (await issued(place, sensor(place, "KL-002"))).values()
        await until(lambda: asyncio.to_thread(may_come_in, url))


async def test_all_sensors_of_a_lot_get_a_user_of_their_own(place: Place) -> None:
    async with place.database.transaction() as db:
        wanted = await fetch_sensors(db, lot="KL")
        with pytest.raises(LotNotFoundError):
            await fetch_sensors(db, lot="XX")
        with pytest.raises(NotFoundError, match="adopt"):
            await fetch_sensors(db, sensor="stranger")
        with pytest.raises(InvalidError, match="cannot have such a user"):
            await issue(db, [Wanted(kind=Kind.GATEWAY, name="a:b")], renew=False, at=datetime.now(UTC))
    assert [each.name for each in wanted] == [place.street.sensor(f"KL-00{n}") for n in (1, 2, 3)]
    assert len(set((await issued(place, *wanted)).values())) == 3
    stored = await place.street.db.fetch("SELECT password_hash FROM broker_account")
    assert all(row["password_hash"].startswith("$7$101$") for row in stored)


async def test_a_strangers_attempts_are_seen(place: Place) -> None:
    """An unregistered sensor makes itself known; a wrong password and a foreign topic are counted, and by whom."""
    mine, other = place.street.sensor("KL-001"), place.street.sensor("KL-002")
    (url,) = (await issued(place, sensor(place, "KL-001"))).values()
    await put_in_force(place)
    await until(lambda: asyncio.to_thread(may_come_in, url))
    await place.street.start_ingest()
    reading = json.dumps({"at": now_ms(), "occupied": True})
    shared = as_user(place.url, "unregistered", place.state.secret("mqtt-unregistered"))
    with talking(shared) as talker:
        talker.say("unregistered/new-1/up", reading)
        talker.say(f"unregistered/{mine}/up", reading)
        talker.say(f"parking/x/{mine}/up", reading)
    rows = await place.street.until_refusals(2)
    assert {(row["reason"], row["sensor"]) for row in rows} == {("unknown-sensor", "new-1"), ("unknown-sensor", mine)}
    assert not await asyncio.to_thread(may_come_in, as_user(place.url, f"sensor.{mine}", "guess"))
    await place.street.until_said("broker.turned_away")
    await rounds(2)
    watching = asyncio.create_task(asyncio.to_thread(watch, place.state, seconds=4))
    with talking(url, name="thief") as talker:

        async def tried() -> bool:
            talker.say(f"parking/x/{other}/up", reading)
            return watching.done()

        await until(tried)
    denied = await watching
    assert {(who.user, who.client, who.topic) for who in denied} == {
        (f"sensor.{mine}", "thief", f"parking/x/{other}/up")
    }
    await place.street.until_said("broker.denied_publishing")
    assert await place.street.readings() == 0


async def test_what_nobody_acknowledges_is_not_taken_for_denied(place: Place) -> None:
    """Network servers publish at QoS 0 unless told otherwise: ingest has that without an acknowledgement."""
    mine, came = place.street.sensor("KL-001"), 200
    (url,) = (await issued(place, sensor(place, "KL-001"))).values()
    await put_in_force(place)
    await until(lambda: asyncio.to_thread(may_come_in, url))
    await place.street.start_ingest()
    await rounds(2)
    began_ms = now_ms() - 60_000
    with talking(url) as talker:
        for n in range(came):
            talker.paho.publish(f"parking/x/{mine}/up", json.dumps({"at": began_ms + n, "occupied": True}), qos=0)
        await place.street.until_readings(came)

        async def denied() -> str | None:
            talker.say("a/b")
            await asyncio.sleep(1)
            return next((line for line in place.street.said if "broker.denied_publishing" in line), None)

        line = await until(denied)
    assert line is not None
    assert json.loads(line)["messages"] < came
