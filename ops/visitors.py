"""What becomes of those who park by the map of a demo, told step by step: reading, session, payment, receipt, bill."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from core.clock import instant
from core.db import Database
from core.money import Fen, yuan_text
from ops.summary import WAYS
from simulator.drivers.seeking import SEEKER
from simulator.orders import Carried, read_orders

FOLLOWED: Final = 20
"""So many visits at once; of older ones nothing more is told."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """Somebody parked; what has been told of it."""

    came: Carried
    left: Carried | None = None
    told: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """One payment that came in."""

    payment_id: UUID
    channel: str
    received_fen: Fen
    receipt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the database knows of a visit."""

    came_stored_at: datetime | None
    left_stored_at: datetime | None
    session_id: UUID | None
    minutes: int | None
    """Of an ended session."""
    total_fen: Fen | None
    """Of its bill."""
    paid: tuple[Paid, ...] = ()


def steps(visit: Visit, facts: Facts) -> Iterator[tuple[str, str]]:
    """Everything that can be told of a visit by now, in the order of a driver's way: a name and words. Pure."""
    came = visit.came
    yield "came", f"somebody parked here by the map; sensor {came.sensor_id} sends its reading"
    if facts.came_stored_at:
        yield "stored", "the reading is committed, the map turns"
    if facts.session_id:
        yield "session", f"session {facts.session_id} is open; its code /s/{came.space} asks for what is due"
    for one in facts.paid:
        yield f"paid {one.payment_id}", f"paid {yuan_text(one.received_fen)}, {WAYS.get(one.channel, one.channel)}"
        if one.receipt:
            yield f"receipt {one.payment_id}", f"receipt {one.receipt}"
    if visit.left:
        yield "left", "the vehicle left by the map; the sensor sends its reading"
    if facts.left_stored_at:
        yield "stored again", "the reading is committed, the map turns free"
    if facts.minutes is not None and facts.total_fen is not None:
        owed = facts.total_fen - sum(one.received_fen for one in facts.paid)
        rest = "nothing is owed" if owed <= 0 else f"{yuan_text(Fen(owed))} of it not paid yet"
        yield "bill", f"the session ended after {facts.minutes} min, bill {yuan_text(facts.total_fen)}, {rest}"


class Visitors:
    """Follows the orders of a simulator, and what the system makes of them."""

    def __init__(self, database_url: str, orders: Path, zone: ZoneInfo) -> None:
        self._database = Database(database_url, pool_size=1, application="parking-visitors")
        self._orders = orders
        self._zone = zone
        self._read_bytes = 0
        self._known = 0
        self._visits: deque[Visit] = deque(maxlen=FOLLOWED)

    async def news(self, at: datetime) -> list[str]:
        """A line for each step since the last look.

        Raises:
            OSError, SQLAlchemyError: the database is away; nothing is lost for the next look.
        """
        self._read_orders()
        lines = []
        for visit in self._visits:
            facts = await self._facts(visit)
            for step, words in steps(visit, facts):
                if step not in visit.told:
                    visit.told.add(step)
                    lines.append(f"{at.astimezone(self._zone):%H:%M:%S} {visit.came.space}: {words}")
        return lines

    def _read_orders(self) -> None:
        size = self._orders.stat().st_size if self._orders.exists() else 0
        if size == self._read_bytes:
            return
        orders = read_orders(self._orders)
        for order in orders[self._known :]:
            if order.visit.startswith(SEEKER):
                continue  # one of the simulated people
            if order.verb == "park":
                self._visits.append(Visit(came=order))
            else:
                for visit in self._visits:
                    if (visit.came.space, visit.came.visit) == (order.space, order.visit) and visit.left is None:
                        visit.left = order
        self._read_bytes, self._known = size, len(orders)

    async def _facts(self, visit: Visit) -> Facts:
        asked = {
            "space": visit.came.space,
            "sensor": visit.came.sensor_id,
            "came": instant(visit.came.at_ms),
            "left": instant(visit.left.at_ms) if visit.left else None,
        }
        async with self._database.transaction() as db:
            found = (await db.execute(_FACTS, asked)).mappings().one()
            paid = (await db.execute(_PAID, {"session": found["session_id"]})).mappings().all()
        return Facts(**found, paid=tuple(Paid(**row) for row in paid))


_FACTS = text(
    """
    SELECT
        (SELECT min(received_at) FROM reading WHERE sensor_id = sensor.id AND observed_at = :came) AS came_stored_at,
        (SELECT min(received_at) FROM reading WHERE sensor_id = sensor.id
            AND observed_at = CAST(:left AS timestamptz)) AS left_stored_at,
        parking_session.id AS session_id,
        CASE WHEN status = 'ended' THEN (extract(epoch FROM left_at - entered_at) / 60)::int END AS minutes,
        bill.total_fen
    FROM space
    JOIN sensor ON sensor.code = :sensor
    LEFT JOIN parking_session ON parking_session.space_id = space.id AND entered_at = :came
    LEFT JOIN bill ON bill.session_id = parking_session.id AND bill.session_revision = parking_session.revision
    WHERE space.code = :space
    """
)
_PAID = text(
    """
    SELECT payment.id AS payment_id, channel, received_fen, receipt.number AS receipt
    FROM payment LEFT JOIN receipt ON receipt.payment_id = payment.id
    WHERE payment.session_id = :session AND payment.status = 'paid'
    ORDER BY paid_at
    """
)
