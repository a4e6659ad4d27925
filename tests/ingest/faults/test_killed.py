"""Processes killed at any moment: what the broker had accepted is stored, once."""

import asyncio
import signal

import pytest

from tests.ingest.faults.county import County, chunks

pytestmark = pytest.mark.services


async def test_ingest_killed_at_random_points_stores_exactly_what_was_published(county: County) -> None:
    await county.start_ingest(batch_size=100, flush_after_ms=20)
    readings = county.readings(4_000)

    async def publish() -> None:
        for some in chunks(readings, 400):
            await county.publish(some, repeats=some[::40])

    publishing = asyncio.create_task(publish())
    for _ in range(4):
        await asyncio.sleep(county.rng.uniform(0.1, 0.5))
        await county.street.kill_ingest(signal.SIGKILL)
        await county.start_ingest(batch_size=100, flush_after_ms=20)
    await publishing
    figures = await county.until_all_is_stored()
    figures.show("ingest killed four times")
    assert (figures.sent, figures.stored, figures.refused) == (4_100, 4_000, 0)
    await county.until_metric("parking_ingest_unacknowledged", 0)


async def test_the_database_killed_at_random_points_loses_nothing(county: County) -> None:
    await county.start_ingest(batch_size=100, flush_after_ms=20)
    readings = county.readings(3_000)

    async def publish() -> None:
        for some in chunks(readings, 100):
            await county.publish(some)

    publishing = asyncio.create_task(publish())
    for _ in range(2):
        await asyncio.sleep(county.rng.uniform(0.1, 0.6))
        await county.kill_service("postgres")
        await county.restart_service("postgres")
    await publishing
    figures = await county.until_all_is_stored()
    figures.show("database killed twice")
    assert (figures.stored, figures.refused) == (3_000, 0)
    assert len(county.street.ingests) == 1, "it recovered unaided"
    await county.until_metric("parking_ingest_unacknowledged", 0)


async def test_a_stand_by_takes_over_and_goes_on_with_the_same_session(county: County) -> None:
    await county.start_ingest(batch_size=50, flush_after_ms=20)
    street = county.street
    first = street.ingests[-1]
    stand_by = await street.start_ingest(until_it_says="ingest.stands_by", batch_size=50, flush_after_ms=20)
    readings = county.readings(3_000)
    publishing = asyncio.create_task(county.publish(readings))
    await asyncio.sleep(0.3)
    seen = len(street.said)
    first.kill()
    line = await street.until_said("broker.connected", since=seen)
    assert '"session_resumed": true' in line
    await publishing
    county.accepted.update(readings[:0])
    stored = await _stored_by_the_stand_by(county)
    assert stored == set(readings)
    assert stand_by.returncode is None


async def _stored_by_the_stand_by(county: County) -> set[tuple[str, int, int, bool]]:
    await county.street.until_readings(len(county.accepted))
    return await county.stored()


async def test_one_that_was_followed_does_not_fight_back(county: County) -> None:
    """Its lock is taken from it while it lives, as when its network fails: it stands by from then on."""
    await county.start_ingest()
    street = county.street
    await street.start_ingest(until_it_says="ingest.stands_by")
    seen = len(street.said)
    await street.db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parking-ingest-leader' "
        "AND datname = current_database()"
    )
    await street.until_said("ingest.leads", since=seen)
    await asyncio.sleep(2)
    connected = [line for line in street.said[seen:] if "broker.connected" in line]
    assert len(connected) <= 1
    await county.publish(county.readings(200))
    await street.until_readings(200)
