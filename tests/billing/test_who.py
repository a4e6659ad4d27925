"""Who pays what: the class by the best evidence, exempt vehicles, earlier stays; and bills held for a person."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from billing.again import is_equal_again
from billing.bills import bill_ended_sessions
from billing.exempt import add_exemption, end_exemption, list_exemptions
from billing.holds import BillNotHeldError, HoldRules, is_held, list_held, reasons_to_hold, release_bill
from billing.notices import read
from billing.plates import PlateKey, PlateVault
from billing.publishing import publish
from billing.tariffs_in_force import fetch_tariff
from billing.vehicle_of_plate import UNKNOWN, Evidence, colour_of_form, vehicle_by
from billing.who import price_again_later, vehicle_of
from core.db import Database
from core.plate import Plate, parse_plate
from core.tables.plates import SURE_FROM_PERCENT
from tests.support.street import plant

pytestmark = pytest.mark.services

NINE = datetime(2026, 11, 20, 1, tzinfo=UTC)  # 09:00 in Xinchang, a Friday
NOW = NINE + timedelta(days=1)
VAULT = PlateVault((PlateKey("k" * 32),))
BLUE, OTHER, GREEN = parse_plate("浙D12345"), parse_plate("浙D54321"), parse_plate("浙DD12345")
ONE, TWO = uuid4(), uuid4()


def seen(source: str, plate: UUID = ONE, colour: str | None = None, *, sure: int | None = None) -> Evidence:
    return Evidence(
        plate_id=plate,
        source=source,
        colour=colour,
        confidence_percent=sure,
        is_sure=source == "warden" or (source == "camera" and (sure or 0) >= SURE_FROM_PERCENT),
        recorded_at=NINE,
    )


def test_the_best_evidence_names_the_vehicle_and_a_claim_confirms_nothing() -> None:
    assert vehicle_by([]) is UNKNOWN
    claimed = vehicle_by([seen("claim", colour="green")])
    assert (claimed.vehicle, claimed.is_confirmed) == ("small-nev", False)
    both = vehicle_by([seen("claim", TWO, "green"), seen("camera", ONE, "yellow", sure=40), seen("warden", ONE)])
    assert (both.plate_id, both.source, both.vehicle, both.is_confirmed) == (ONE, "warden", "large", True)
    surer = vehicle_by([seen("camera", ONE, "blue", sure=60), seen("camera", TWO, "blue", sure=95)])
    assert surer.plate_id == TWO
    assert surer.is_confirmed
    assert vehicle_by([seen("warden", colour="white")]).vehicle is None


def test_a_camera_in_doubt_tells_the_class_and_confirms_nothing() -> None:
    doubtful = vehicle_by([seen("claim", TWO, "green"), seen("camera", ONE, "yellow", sure=SURE_FROM_PERCENT - 1)])
    assert (doubtful.plate_id, doubtful.vehicle, doubtful.is_confirmed) == (ONE, "large", False)


def test_only_a_new_energy_form_tells_its_colour() -> None:
    assert [colour_of_form(plate) for plate in (BLUE, GREEN)] == [None, "green"]


def test_each_rule_holds_a_bill_and_nothing_is_held_for_nothing() -> None:
    rules = HoldRules(late_minutes=180, stay_hours=72, above_fen=30_000)

    def reasons(*, unsure: bool = False, late: float = 0, hours: float = 1, total_fen: int = 300) -> list[str]:
        return list(
            reasons_to_hold(
                rules,
                unsure=unsure,
                entered_at=NINE,
                left_at=NINE + timedelta(hours=hours),
                heard_at=NINE + timedelta(minutes=late),
                total_fen=total_fen,
            )
        )

    assert reasons() == []
    assert reasons(unsure=True, late=181, hours=73, total_fen=30_001) == [
        "unsure",
        "late_arrival",
        "long_stay",
        "large_amount",
    ]
    assert reasons(late=180, hours=72, total_fen=30_000) == []
    assert reasons(unsure=True, total_fen=0) == []


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await plant(connection, "s", 5)
    yield connection
    await connection.close()


async def stay(db: asyncpg.Connection, space: int, begin: datetime = NINE, minutes: int = 75, **more: object) -> UUID:
    values = {"unsure": False, "recorded_at": begin, **more}
    session_id = await db.fetchval(
        """
        INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, unsure,
                                     recorded_at, revised_at)
        SELECT space.id, sensor.id, 'ended', $2, $3, 'change', 'change', $4, $5, $3
        FROM space, sensor WHERE space.code = $1 AND sensor.code = 's-001' RETURNING id
        """,
        f"KL-{space:03}",
        begin,
        begin + timedelta(minutes=minutes),
        values["unsure"],
        values["recorded_at"],
    )
    assert isinstance(session_id, UUID)
    return session_id


async def evidence(
    db: asyncpg.Connection, session_id: UUID, plate: Plate, source: str, colour: str | None = None, *, sure: int = 95
) -> None:
    tokens = (VAULT.newest.token(kind, plate.text) for kind in ("exact", "last4", "last5", "skeleton"))
    plate_id = await db.fetchval(
        """
        INSERT INTO plate (ciphertext, key_number, exact_token, last4_token, last5_token, skeleton_token, first_seen_at)
        VALUES ($1, 1, $2, $3, $4, $5, now())
        ON CONFLICT (key_number, exact_token) DO UPDATE SET key_number = 1 RETURNING id
        """,
        VAULT.seal(plate).ciphertext,
        *tokens,
    )
    await db.execute(
        """
        INSERT INTO plate_evidence (session_id, plate_id, source, colour, confidence_percent, observed_at, recorded_at)
        VALUES ($1, $2, $3, $4, $5, now(), now())
        """,
        session_id,
        plate_id,
        source,
        colour,
        sure if source == "camera" else None,
    )


async def bill_all(store: Database, at: datetime = NOW) -> int:
    async with store.transaction() as db:
        return (await bill_ended_sessions(db, at=at, limit=100)).held


async def current(db: asyncpg.Connection, session_id: UUID) -> tuple[int, dict[str, object]]:
    row = await db.fetchrow("SELECT * FROM current_bill WHERE session_id = $1", session_id)
    return row["total_fen"], json.loads(row["fee"])


async def use(db: asyncpg.Connection, store: Database, notice: str) -> None:
    async with store.transaction() as work:
        published = await publish(work, read(notice))
    await db.execute("UPDATE lot SET tariff = $1", published.tariff.code)


async def test_the_class_comes_from_the_plate_and_without_one_the_bill_says_so(
    db: asyncpg.Connection, store: Database
) -> None:
    await use(db, store, "cn-js-yangzhou-nev")
    unknown, green = await stay(db, 1, minutes=200), await stay(db, 2, minutes=200)
    await evidence(db, green, GREEN, "camera", "green")
    await bill_all(store)
    (plain, fee), (reduced, other) = await current(db, unknown), await current(db, green)
    assert reduced < plain
    assert fee["bill"]["class_assumed"] is True  # type: ignore[index]  # what json.loads gives
    assert other["bill"]["vehicle"] == "small-nev"  # type: ignore[index]  # as above
    async with store.transaction() as work:
        assert (await vehicle_of(work, green)).source == "camera"
        _, tariff = await fetch_tariff(work, "cn-js-yangzhou-nev", NINE)
    for total, kept in ((plain, fee), (reduced, other)):
        assert is_equal_again(kept, total, tariff)


async def test_better_evidence_after_the_bill_makes_another_one(db: asyncpg.Connection, store: Database) -> None:
    await use(db, store, "cn-js-yangzhou-nev")
    session_id = await stay(db, 1, minutes=200)
    await bill_all(store)
    before, _ = await current(db, session_id)
    await evidence(db, session_id, GREEN, "warden", "green")
    async with store.transaction() as work:
        await price_again_later(work, session_id, at=NOW)
    await bill_all(store, NOW + timedelta(minutes=1))
    after, _ = await current(db, session_id)
    assert after < before


async def test_an_exempt_vehicle_pays_nothing_where_and_while_it_is_exempt(
    db: asyncpg.Connection, store: Database
) -> None:
    inside, claimed, later = await stay(db, 1), await stay(db, 2), await stay(db, 3, NINE + timedelta(hours=5))
    for session_id, source in ((inside, "warden"), (claimed, "claim"), (later, "warden")):
        await evidence(db, session_id, BLUE, source, "blue")
    async with store.transaction() as work:
        until = NINE + timedelta(hours=2)
        made = await add_exemption(
            work,
            VAULT,
            BLUE,
            lots=["KL"],
            valid_from=NINE - timedelta(days=1),
            valid_to=until,
            reason="on duty",
            actor="chen",
            at=NOW,
        )
        assert made.plate == BLUE.masked
    await bill_all(store)
    totals = [(await current(db, one))[0] for one in (inside, claimed, later)]
    assert totals == [0, 600, 600]
    _, fee = await current(db, inside)
    line = fee["bill"]["lines"][0]  # type: ignore[index]  # what json.loads gives
    assert line["why"] == {"code": "covered", "kind": "exempt", "note": "on duty"}
    async with store.transaction() as work:
        await end_exemption(work, VAULT, made.id, actor="chen", at=NOW)
        (listed,) = await list_exemptions(work, None)
        _, tariff = await fetch_tariff(work, "xinchang-kerb", NINE)
    assert (listed.plate, listed.ended_by) == ("*******", "chen")
    assert is_equal_again(fee, 0, tariff)


async def test_an_earlier_stay_that_somebody_saw_counts_where_the_notice_asks(
    db: asyncpg.Connection, store: Database
) -> None:
    await use(db, store, "cn-hb-suizhou-1--cap-adds-stays")
    first, second = await stay(db, 1, NINE - timedelta(hours=3), 540), await stay(db, 2, NINE + timedelta(hours=7), 120)
    alone = await stay(db, 3, NINE + timedelta(hours=7), 120)
    for session_id in (first, second):
        await evidence(db, session_id, BLUE, "camera", "blue")
    await evidence(db, alone, OTHER, "camera", "blue")
    await bill_all(store)
    shared, fee = await current(db, second)
    assert (shared, (await current(db, alone))[0]) == (100, 500)
    assert len(fee["inputs"]["history"]) == 1  # type: ignore[index]  # what json.loads gives


async def test_thin_evidence_is_held_until_a_person_has_looked(db: asyncpg.Connection, store: Database) -> None:
    sure, unsure = await stay(db, 1), await stay(db, 2, unsure=True)
    late = await stay(db, 3, recorded_at=NINE + timedelta(hours=4))
    assert await bill_all(store) == 2
    async with store.transaction() as work:
        held = {one.session_id: one.reasons for one in await list_held(work)}
        assert held == {unsure: ("unsure",), late: ("late_arrival",)}
        assert [await is_held(work, one) for one in (sure, unsure)] == [False, True]
        await release_bill(work, unsure, reason="the photo shows it", actor="chen", at=NOW)
        assert not await is_held(work, unsure)
        with pytest.raises(BillNotHeldError):
            await release_bill(work, unsure, reason="again", actor="chen", at=NOW)


async def test_a_correction_that_costs_no_more_than_what_was_released_is_not_held_again(
    db: asyncpg.Connection, store: Database
) -> None:
    session_id = await stay(db, 1, unsure=True)
    await bill_all(store)
    async with store.transaction() as work:
        await release_bill(work, session_id, reason="the photo shows it", actor="chen", at=NOW)
    changed = "UPDATE parking_session SET left_at = $2, revision = revision + 1 WHERE id = $1"
    await db.execute(changed, session_id, NINE + timedelta(minutes=45))
    assert await bill_all(store, NOW + timedelta(minutes=1)) == 0
    await db.execute(changed, session_id, NINE + timedelta(minutes=300))
    assert await bill_all(store, NOW + timedelta(minutes=2)) == 1
