"""Strangers: whatever they try is refused by those who read it, and the broker's storm leaves nothing behind."""

from collections.abc import Sequence
from itertools import islice

import pytest

from core.occupancy import Reason, Refusal
from ingest.decode import decode
from simulator.faults.strangers import Intrusion, intrusions
from simulator.storm import CROWD, crowd
from tests.simulator.conftest import OwnBroker
from tests.support.county import sensed

HOUR_MS = 3_600_000
BEGINS_MS = 1_780_000_000_000
CITY = sensed(spaces=60)
REASONS = {
    "unknown sensor": Reason.UNKNOWN_SENSOR,
    "unknown sensor, unregistered": Reason.UNKNOWN_SENSOR,
    "claimed without a user": Reason.UNKNOWN_SENSOR,
    "garbage": Reason.NOT_JSON,
    "cut short": Reason.NOT_JSON,
    "clock of 2001": Reason.CLOCK_NOT_SET,
    "topic of another": Reason.NOT_A_READING,
    "too many readings": Reason.TOO_MANY_READINGS,
    "bytes of no make": Reason.UNKNOWN_SENSOR,
}


class Registered:
    def codec_of(self, sensor_id: str, /) -> str | None:
        return "native" if sensor_id in {one.sensor for one in CITY.watched} else None


def tried(count: int, *, seed: int = 1) -> Sequence[Intrusion]:
    return list(islice(intrusions(CITY.watched, an_hour=120, seed=seed, begins_ms=BEGINS_MS), count))


def test_nothing_that_strangers_send_becomes_a_reading() -> None:
    for one in tried(400):
        items = decode(one.message.topic, one.message.content, registry=Registered())
        assert len(items) == 1
        assert isinstance(items[0], Refusal), one
        assert items[0].reason is REASONS[one.what]


def test_they_come_at_their_rate_and_repeat_with_their_seed() -> None:
    some = tried(400)
    assert (some[-1].at_ms - BEGINS_MS) / HOUR_MS == pytest.approx(400 / 120, rel=0.25)
    assert {one.what for one in some} == set(REASONS)
    assert some == tried(400)
    assert some != tried(400, seed=2)


def test_nobody_comes_where_none_are_described() -> None:
    assert list(intrusions(CITY.watched, an_hour=0, seed=1, begins_ms=BEGINS_MS)) == []


@pytest.mark.services
def test_a_storm_is_a_crowd_of_connections_that_the_broker_survives(broker: OwnBroker) -> None:
    assert crowd(broker.url) == CROWD
    assert crowd(broker.url, 5) == 5


def test_a_broker_that_is_not_there_or_wants_tls_is_spared() -> None:
    assert crowd("mqtt://nobody@127.0.0.1:1") == 0
    assert crowd("mqtts://user:password@127.0.0.1:1") == 0
