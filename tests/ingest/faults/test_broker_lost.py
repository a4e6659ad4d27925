"""The broker killed, its session lost: a bounded loss, repaired; and no acknowledgement out of its time."""

import asyncio
import json
import time

import pytest

from core.clock import parse_clock
from core.wire import SUBSCRIPTIONS
from ingest.inbox import Inbox, Message
from ingest.subscriber import Subscriber
from ops.services.mosquitto_conf import SAVED_EVERY
from tests.ingest.faults.county import County
from tests.support.waiting import until, until_still

pytestmark = pytest.mark.services


async def test_the_loss_lies_within_the_save_interval_and_the_next_heartbeats_repair_the_state(county: County) -> None:
    """ingest is away, so everything lies in the broker when it is killed."""
    await county.start_ingest()
    await county.street.kill_ingest()
    now_ms = int(time.time() * 1_000)
    arrivals = [(county.sensor(n % 50 + 1), now_ms - 3_600_000 + n * 1_000, n, n % 100 < 50) for n in range(1_000)]
    await county.publish(arrivals)
    await county.kill_service("mosquitto")
    await county.restart_service("mosquitto")
    await county.start_ingest()

    lost = len(arrivals) - await until_still(county.street.readings)
    assert 0 <= lost <= SAVED_EVERY
    heartbeats = [(county.sensor(n), now_ms, 5_000 + n, n % 3 == 0) for n in range(1, 51)]
    await county.publish(heartbeats)
    await county.street.until_readings(1_000 - lost + 50)
    rows = await county.street.db.fetch(
        "SELECT space.code, occupancy::text FROM space_state JOIN space ON space.id = space_id ORDER BY space.code"
    )
    assert [row["occupancy"] for row in rows] == ["occupied" if n % 3 == 0 else "free" for n in range(1, 51)]
    assert {one[:3] for one in heartbeats} <= {one[:3] for one in await county.stored()}
    print(f"\nbroker killed with 1 000 messages queued: {lost} lost, at most {SAVED_EVERY}")  # noqa: T201 - with -s


async def test_a_late_acknowledgement_never_takes_away_a_message_of_a_later_connection(county: County) -> None:
    async with _Subscription(county) as (subscriber, inbox):
        publish = county.street.publish
        await asyncio.to_thread(publish, f"parking/x/{county.sensor(1)}/up", json.dumps({"n": "first"}))
        first = await _next(inbox)
        await county.kill_service("mosquitto")
        (county.services._state.root / "mosquitto/mosquitto.db").unlink(missing_ok=True)  # noqa: SLF001 - the disk failed
        await county.restart_service("mosquitto")

        async def is_back() -> bool:
            return subscriber.is_subscribed and subscriber.epoch > first.epoch

        await until(is_back)
        await until(lambda: asyncio.to_thread(county.street.publisher.is_connected))
        await asyncio.to_thread(publish, f"parking/x/{county.sensor(1)}/up", json.dumps({"n": "second"}))
        second = await _next(inbox)
        assert second.mid == first.mid, "the new session numbers its messages from the beginning"
        assert subscriber.acknowledge([first]) == 0
        subscriber.drop("so that what was not acknowledged comes again")
        again = await _next(inbox)
        assert json.loads(again.payload) == {"n": "second"}
        assert subscriber.acknowledge([second]) == 0
        assert subscriber.acknowledge([again]) == 1
        assert subscriber.unacknowledged == 0


class _Subscription:
    """The real subscriber in this process, so that its acknowledgements can be chosen."""

    def __init__(self, county: County) -> None:
        self._inbox = Inbox(batch_size=100, flush_after_ms=20, limit=1_000)
        self._subscriber = Subscriber(
            county.street.endpoints.mqtt_ingest_url,
            client_id=f"ingest-{county.street.prefix}",
            topics=SUBSCRIPTIONS,
            inbox=self._inbox,
            clock=parse_clock(""),
            admitted=_at_once,
        )

    async def __aenter__(self) -> tuple[Subscriber, Inbox]:
        self._running = asyncio.create_task(self._subscriber.run())

        async def is_subscribed() -> bool:
            return self._subscriber.is_subscribed

        await until(is_subscribed)
        return self._subscriber, self._inbox

    async def __aexit__(self, *_: object) -> None:
        self._subscriber.stop()
        await self._running


async def _at_once() -> None:
    return


async def _next(inbox: Inbox) -> Message:
    is_free = asyncio.Event()
    is_free.set()
    async for batch in inbox.batches(idle_seconds=0.1, is_free=is_free):
        if batch:
            return batch[0]
    raise AssertionError("the inbox was closed")
