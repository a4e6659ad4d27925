"""Messages that were kept, judged again: what they make now that the registry or a codec was corrected."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from core.occupancy import OrderKey, Reading, Reason, Refusal, order_key
from ingest import statements as sql
from ingest.decode import check_time, decode_again
from ingest.registry import Registry
from ingest.statements import Arrival, arrived


class Terms(NamedTuple):
    """By what a kept message is judged again."""

    registry: Registry
    now_ms: int
    tolerance_ms: int
    floor_ms: int
    """The refold floor, held until the transaction ends."""


def judge_again(topic: str, raw: bytes, received_ms: int, terms: Terms) -> tuple[list[Arrival], list[Refusal]]:
    """What a kept message makes now, judged as if it had just come when it came first."""
    arrivals: list[Arrival] = []
    refusals: list[Refusal] = []
    for item in decode_again(topic, raw, registry=terms.registry):
        judged = item if isinstance(item, Refusal) else _judge(item, topic, received_ms, terms)
        if isinstance(judged, Arrival):
            arrivals.append(judged)
        else:
            refusals.append(judged)
    return arrivals, refusals


async def store_taken_in(db: asyncpg.Connection, arrivals: Sequence[Arrival], floor_ms: int) -> list[Arrival]:
    """Store what is neither a repeated frame nor there already; returns what was stored as a reading.

    What lies below the floor becomes late evidence.
    """
    new_frames = await sql.store_frames(db, arrivals)
    fresh: dict[tuple[str, OrderKey], Arrival] = {}
    for arrival in arrivals:
        frame = arrival.reading.frame
        if frame is not None:
            identity = (arrival.sensor_id, frame.session, frame.f_cnt)
            if identity not in new_frames:
                continue
            new_frames.discard(identity)
        fresh.setdefault((arrival.reading.sensor, order_key(arrival.reading)), arrival)
    await sql.store_evidence(db, [arrival for arrival in fresh.values() if arrival.reading.at_ms < floor_ms])
    wanted = [arrival for arrival in fresh.values() if arrival.reading.at_ms >= floor_ms]
    return [wanted[place] for place in sorted(await sql.store_unless_repeated(db, wanted))]


def not_assigned(sensor: str, at_ms: int, raw: bytes) -> Refusal:
    """The refusal of a reading outside its sensor's assignments."""
    detail = "the sensor watched no space at that instant"
    return Refusal(reason=Reason.NOT_ASSIGNED, detail=detail, sensor=sensor, at_ms=at_ms, raw=raw)


def _judge(reading: Reading, topic: str, received_ms: int, terms: Terms) -> Arrival | Refusal:
    refusal = check_time(reading, received_ms, terms.tolerance_ms)
    if refusal is not None:
        return refusal
    sensor = terms.registry.sensors[reading.sensor]
    space_id = sensor.space_at(reading.at_ms)
    if space_id is None:
        return not_assigned(reading.sensor, reading.at_ms, reading.raw)
    return arrived(reading, sensor.sensor_id, space_id, received_ms, topic)
