"""The database and the broker away, slow, locked: nothing is lost, memory is bounded, and it recovers unaided."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from core.clock import parse_clock
from ingest.inbox import Inbox, Message
from ingest.pipeline import Pipeline
from ingest.writer import Writer
from ops.services import RunningServices
from tests.ingest.faults.county import MINUTE, County, built_county, chunks, encode
from tests.support.cable import laid
from tests.support.databases import copied_database
from tests.support.talking import talking
from tests.support.waiting import PATIENCE_SECONDS, soon, until

pytestmark = pytest.mark.services

OUTAGE_SECONDS = 20
SENSORS = 2_300
QUARTER_OF_AN_HOUR = 9_000
"""What a county of 2 300 sensors says in fifteen minutes at ten messages a second."""


@asynccontextmanager
async def large_county(services: RunningServices, template: str) -> AsyncIterator[County]:
    """As many sensors as the county has."""
    async with (
        copied_database(services.endpoints.database_url, template) as url,
        built_county(services, url, spaces=SENSORS) as county,
    ):
        yield county


def dropped_by_the_broker(county: County) -> int:
    """What the broker itself says it has thrown away since its start."""
    with talking(county.street.endpoints.mqtt_ingest_url) as talker:
        talker.paho.subscribe("$SYS/broker/publish/messages/dropped")
        soon(lambda: bool(talker.heard))
        return int(talker.heard[-1][1])


async def test_an_outage_of_the_database_with_a_quarter_of_an_hour_sent_at_once(
    own_services: RunningServices, own_template: str
) -> None:
    async with large_county(own_services, own_template) as county:
        await county.start_ingest()
        before_kib = await county.memory_kib()
        await county.publish(county.readings(200))
        await county.until_all_is_stored()
        await county.kill_service("postgres")
        gone_at = time.monotonic()
        await county.publish(county.readings(QUARTER_OF_AN_HOUR))
        await asyncio.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - gone_at)))
        await county.restart_service("postgres")
        back_at = time.monotonic()
        figures = await county.until_all_is_stored()
        figures.show(f"database away for {OUTAGE_SECONDS} s, caught up in {time.monotonic() - back_at:.1f} s")
        assert (figures.stored, figures.refused) == (QUARTER_OF_AN_HOUR + 200, 0)
        assert len(county.street.ingests) == 1
        assert await county.memory_kib() - before_kib < 150_000


async def test_the_whole_county_reports_at_once_while_a_table_is_locked(
    own_services: RunningServices, own_template: str
) -> None:
    """2 300 sensors within seconds, three times: the shipped broker drops nothing, the inbox is bounded."""
    async with large_county(own_services, own_template) as county:
        await county.start_ingest()
        dropped_before = await asyncio.to_thread(dropped_by_the_broker, county)
        now_ms = int(time.time() * 1_000)
        async with county.locked("reading"):
            locked_at = time.monotonic()
            for minute in range(3):
                everybody = [(county.sensor(n), now_ms - (9 - minute) * MINUTE, n, True) for n in range(1, SENSORS + 1)]
                await county.publish(everybody)
            assert await county.street.db.fetchval("SELECT count(*) FROM space_state WHERE occupancy = 'occupied'") == 0
            await asyncio.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - locked_at)))
        figures = await county.until_all_is_stored()
        figures.show(f"{SENSORS} sensors at once, three times, a table locked for {OUTAGE_SECONDS} s")
        assert (figures.stored, figures.refused) == (3 * SENSORS, 0)
        assert await asyncio.to_thread(dropped_by_the_broker, county) == dropped_before
        assert await county.metric("parking_ingest_dropped_connections_total") == 0
        occupied = await county.street.db.fetchval("SELECT count(*) FROM space_state WHERE occupancy = 'occupied'")
        assert occupied == SENSORS
        await county.until_metric("parking_ingest_unacknowledged", 0)


async def test_a_full_inbox_stops_reading_then_drops_the_connection_on_purpose_and_recovers(county: County) -> None:
    """Its limit is far below the broker's window: without a pause every new connection would bring the same again."""
    await county.start_ingest(batch_size=50, inbox_limit=300, mqtt_keepalive_seconds=4)
    async with county.locked("reading"):
        await county.publish(county.readings(2_000))
        await county.street.until_said("broker.dropped")
        assert await county.metric("parking_ingest_inbox_messages") <= 301
        assert await county.metric("parking_ingest_pauses_total") >= 1
    figures = await county.until_all_is_stored()
    figures.show("inbox of 300 against 2 000 messages")
    assert (figures.stored, figures.refused) == (2_000, 0)
    await county.until_metric("parking_ingest_unacknowledged", 0)
    await county.publish(county.readings(100))
    await county.until_all_is_stored()


async def test_a_database_that_neither_answers_nor_fails_is_given_up_for_a_new_connection(county: County) -> None:
    acknowledged: list[Message] = []

    def acknowledge(batch: Sequence[Message]) -> int:
        acknowledged.extend(batch)
        return len(batch)

    clock, inbox = parse_clock(""), Inbox(batch_size=100, flush_after_ms=20, limit=1_000)
    writer = Writer(clock, future_tolerance_seconds=300)
    async with laid(county.street.database_url) as cable:
        pipeline = Pipeline(cable.url(county.street.database_url), writer, ack=acknowledge, clock=clock)
        draining = asyncio.create_task(pipeline.drain(inbox))
        await until(lambda: _true(cable.connections == 1 and pipeline.attempt_began is None))
        cable.clamp()
        for mid, reading in enumerate(county.readings(30)):
            inbox.put(Message(f"parking/x/{reading[0]}/up", encode(reading), clock.now_ms(), 1, mid, 1))
        await until(lambda: _true(pipeline.idle_since is None and pipeline.attempt_began is not None))
        assert acknowledged == []
        pipeline.break_off()
        cable.release()
        await county.street.until_readings(30)
        await until(lambda: _true(len(acknowledged) == 30))
        assert [message.mid for message in acknowledged] == list(range(30)), "in the order of arrival"
        assert cable.connections == 2
        inbox.close()
        await draining


async def _true(fact: bool) -> bool:
    return fact


async def test_told_to_stop_while_the_database_is_away_it_ends_and_leaves_everything_to_the_broker(
    county: County,
) -> None:
    process = await county.start_ingest()
    await county.kill_service("postgres")
    await county.publish(county.readings(300))
    process.terminate()
    await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    assert process.returncode == 0
    await county.restart_service("postgres")
    await county.start_ingest()
    figures = await county.until_all_is_stored()
    assert (figures.stored, figures.repeated, figures.refused) == (300, 0, 0)


async def test_a_broker_that_is_restarted_under_load_loses_nothing(county: County) -> None:
    await county.start_ingest(batch_size=100, flush_after_ms=20)
    readings = county.readings(2_000)

    async def publish() -> None:
        for some in chunks(readings, 100):
            await county.publish(some)

    publishing = asyncio.create_task(publish())
    await asyncio.sleep(0.3)
    await county.restart_service("mosquitto")
    await publishing
    figures = await county.until_all_is_stored()
    figures.show("broker restarted")
    assert (figures.stored, figures.refused) == (2_000, 0)
    await county.until_metric("parking_ingest_unacknowledged", 0)
