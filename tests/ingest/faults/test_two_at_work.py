"""Two ingests of different names: both are handed every message, both write, and the database keeps them right."""

import asyncio

import pytest

from tests.ingest.faults.county import County, chunks
from tests.support.waiting import until

pytestmark = pytest.mark.services


async def test_two_that_write_the_same_spaces_store_each_reading_once_and_agree_on_the_stays(county: County) -> None:
    for name in ("one", "other"):
        await county.start_ingest(
            mqtt_client_id=f"{county.street.prefix}-{name}", metrics_port=0, batch_size=50, flush_after_ms=10
        )
    readings = county.readings(1_500)
    late = readings[::9]
    in_time = [one for one in readings if one not in set(late)]
    for some in chunks([*in_time, *late], 100):
        await county.publish(some, repeats=some[::10])
    await county.street.until_readings(len(readings), within_seconds=120)
    assert await county.stored() == set(readings)
    for process in county.street.ingests:  # as an operator ends them
        process.terminate()
    await asyncio.gather(*(process.wait() for process in county.street.ingests))
    times = await county.street.times()
    assert len(times) > 50

    await county.street.db.execute("UPDATE space_state SET fold = NULL, version = version + 1")
    await county.start_ingest()

    async def all_are_folded_again() -> bool:
        missing = await county.street.db.fetchval("SELECT count(*) FROM space_state WHERE fold IS NULL")
        return bool(missing == 0)

    await until(all_are_folded_again)
    assert await county.street.times() == times
