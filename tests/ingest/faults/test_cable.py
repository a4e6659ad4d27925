"""The network between ingest and the broker: cut, clamped, slow, contested."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from tests.ingest.faults.county import County, chunks
from tests.support.cable import Cable, laid
from tests.support.talking import Talker, talking
from tests.support.waiting import until

pytestmark = pytest.mark.services


@asynccontextmanager
async def through_a_cable(county: County) -> AsyncIterator[Cable]:
    """Only ingest's connection goes through it."""
    endpoints = county.street.endpoints
    async with laid(endpoints.mqtt_ingest_url) as cable:
        county.street.endpoints = replace(endpoints, mqtt_ingest_url=cable.url(endpoints.mqtt_ingest_url))
        try:
            yield cable
        finally:
            county.street.endpoints = endpoints


async def test_a_connection_cut_again_and_again_loses_and_doubles_nothing(county: County) -> None:
    async with through_a_cable(county) as cable:
        await county.start_ingest(batch_size=50, flush_after_ms=20)
        cable.delay_seconds = 0.005
        readings = county.readings(3_000)

        async def publish() -> None:
            for some in chunks(readings, 150):
                await county.publish(some)

        publishing = asyncio.create_task(publish())
        for _ in range(5):
            await asyncio.sleep(county.rng.uniform(0.05, 0.4))
            cable.cut()
        await publishing
        figures = await county.until_all_is_stored()
        figures.show(f"connection cut five times, made {cable.connections} times")
        assert (figures.stored, figures.refused) == (3_000, 0)
        await county.until_metric("parking_ingest_unacknowledged", 0)


async def test_a_connection_over_which_nothing_comes_any_more_is_noticed(county: County) -> None:
    """The network swallows everything, both ends believe to be connected."""
    async with through_a_cable(county) as cable:
        await county.start_ingest(mqtt_keepalive_seconds=2)
        await county.publish(county.readings(20))
        await county.until_all_is_stored()
        before = cable.connections
        cable.clamp()
        await county.publish(county.readings(20))
        await county.street.until_said("broker.disconnected")
        cable.release()
        figures = await county.until_all_is_stored()
        figures.show("connection clamped")
        assert figures.stored == 40
        assert cable.connections > before


async def _is_over(rival: Talker, ends_at: float) -> bool:
    return not rival.paho.is_connected() or asyncio.get_running_loop().time() >= ends_at


async def test_another_client_of_the_same_name_is_not_fought_with_for_ever(county: County) -> None:
    """Somebody outside our lock uses our name: each throws the other out, but not several times a second."""
    await county.start_ingest()
    street, loop = county.street, asyncio.get_running_loop()
    seen, ends_at = len(street.said), loop.time() + 6
    while loop.time() < ends_at:
        with talking(street.endpoints.mqtt_ingest_url, name=f"ingest-{street.prefix}", is_kept=True) as rival:
            await until(partial(_is_over, rival, ends_at))
    attempts = [line for line in street.said[seen:] if "broker.connected" in line]
    assert 1 <= len(attempts) <= 6
    await county.publish(county.readings(100))
    await county.until_all_is_stored()
