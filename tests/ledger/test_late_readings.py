"""Late readings split, join, move and void stays that were paid: no fen is lost, no stay's id dies (S4)."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

from core.db import Database
from core.occupancy import Kind, Reading
from core.session import FoldRules, fold
from tests.api.town import Town
from tests.ledger.till import ARRIVAL, Till
from tests.support.desk import HOUR, MINUTE, Desk, open_desk
from tests.support.paid import SHANGHAI

pytestmark = pytest.mark.services

SPACES = 3
CLOSING_SOON = 17
"""From then on some of the minutes that are paid for may be free."""
MOST = 0.7
HOURS = 36
NOW_MS = int((ARRIVAL + timedelta(hours=HOURS + 1)).timestamp() * 1_000)
RULES = FoldRules(min_stay_ms=20_000, min_gap_ms=20_000, silence_ms=3 * HOUR)


def lived(dice: random.Random) -> list[dict[str, object]]:
    """What the sensors of some spaces say in a day and a half: stays of minutes to hours, heartbeats between."""
    said: list[dict[str, object]] = []
    for space in range(1, SPACES + 1):
        at_ms, occupied, seq = NOW_MS - HOURS * HOUR, False, 0
        while (at_ms := at_ms + dice.randrange(MINUTE, 4 * HOUR)) < NOW_MS - HOUR:
            seq += 1
            kind = Kind.CHANGE if dice.random() < 0.8 else Kind.HEARTBEAT
            occupied ^= kind is Kind.CHANGE
            said.append({"sensor": f"s-{space:03}", "at": at_ms, "seq": seq, "occupied": occupied, "kind": kind.value})
    return said


async def pay_what_is_owed(till: Till, dice: random.Random) -> list[UUID]:
    """Most of those who stayed or stay pay for some minutes of it, right or wrong; the sessions of the payments."""
    async with till.town.database.transaction() as db:
        rows = await db.exec_driver_sql("SELECT id, entered_at FROM parking_session WHERE status <> 'void'")
        stays = [(row.id, row.entered_at) for row in rows]
    by_day = [(session_id, at) for session_id, at in stays if 8 <= at.astimezone(SHANGHAI).hour < CLOSING_SOON]
    paid = [one for one in by_day if dice.random() < MOST]
    for session_id, entered_at in paid:
        payment = await till.ask(session_id, minutes=dice.choice((45, 75, 240)), arrival=entered_at)
        await till.book(payment)
    return [session_id for session_id, _ in paid]


async def sessions_of(desk: Desk) -> list[tuple[object, ...]]:
    return [one for space in range(1, SPACES + 1) for one in await desk.times(space=f"KL-{space:03}")]


@pytest.mark.parametrize("seed", range(3))
async def test_money_follows_stays_that_late_readings_change(database_url: str, seed: int) -> None:
    dice = random.Random(seed)
    till = Till(Town(database=Database(database_url)))
    said = lived(dice)
    late = dice.sample(said, len(said) // 3)
    async with open_desk(database_url, now_ms=NOW_MS, spaces=SPACES) as desk:
        await desk.send(*[one for one in said if one not in late])
        await till.bill()
        paid = await pay_what_is_owed(till, dice)
        await till.prove()
        while late:
            some, late = late[:4], late[4:]
            await desk.send(*some)
            await till.bill()
            paid += await pay_what_is_owed(till, dice)
            await till.prove()
        known = await till.value(
            "SELECT count(*) FROM parking_session WHERE id = ANY(CAST(:ids AS uuid[]))", ids=list(set(paid))
        )
        assert known == len(set(paid)) > 0, "a stay with money is never deleted"
        assert (
            await till.value("SELECT count(*) FROM parking_session WHERE revision > 1 AND id = ANY(:ids)", ids=paid) > 0
        )
        readings = [
            Reading(
                sensor=str(one["sensor"]),
                at_ms=int(str(one["at"])),
                seq=int(str(one["seq"])),
                occupied=bool(one["occupied"]),
                kind=Kind(str(one["kind"])),
            )
            for one in said
        ]
        expected = [
            (span.begin_ms, span.end_ms)
            for space in range(1, SPACES + 1)
            for span in fold([one for one in readings if one.sensor == f"s-{space:03}"], RULES).sessions(RULES)
        ]
        assert await sessions_of(desk) == expected
    await till.town.database.close()
