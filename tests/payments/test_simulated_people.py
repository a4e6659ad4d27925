"""The simulator's people against the real system: what phones, a kiosk, pass holders and a warden tell is booked."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from api.passwords import hash_password
from billing.pass_sales.offers import OfferTerms, add_offer
from billing.payments.till import real_now
from core.clock import RealClock
from core.tokens import space_token
from simulator.dice import Dice, key_of
from simulator.drivers.habits import Driver, Habit, driver_of
from simulator.drivers.kiosk import Kiosk
from simulator.drivers.settling import Settling
from simulator.drivers.told import DriversHeader, Told, read_payments, read_told
from simulator.drivers.wardens import MISSES, Warden
from tests.api.conftest import SECRET
from tests.api.town import now
from tests.payments.counter import Counter, ended
from tests.support.waiting import until

pytestmark = pytest.mark.services

SHANGHAI = ZoneInfo("Asia/Shanghai")
CODES = {code: space_token(SECRET, code) for code in ("KA-001", "KA-002", "KB-001")}
HEADER = DriversHeader(seed=1)
PASSWORD = "walking the streets"


@pytest.fixture(autouse=True)
def _plates_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before the api's process begins."""
    monkeypatch.setenv("PARKING_PLATE_KEY", "a key for plates, at least 32 characters")
    monkeypatch.setenv("PARKING_PHOTO_DIR", str(tmp_path / "photos"))


@pytest.fixture
async def people(_plates_are_kept: None, counter: Counter) -> Counter:
    async def has_read_the_city() -> bool:
        return (await counter.http.get(f"{counter.url}/api/v1/lots")).is_success

    await until(has_read_the_city)
    return counter


def driver(habit: Habit, **more: str | bool) -> Driver:
    seeds = range(500)
    found = next(one for one in (driver_of("KA-001", 1, seed=seed) for seed in seeds) if one.habit is habit)
    return replace(found, **{"says_plate": False, **more})  # type: ignore[arg-type]  # some of its fields


def settling(people: Counter, told: Told, kiosk: Kiosk | None = None) -> Settling:
    return Settling(people.url, CODES, clock=RealClock(), told=told, seed=1, zone=SHANGHAI, kiosk=kiosk)


async def paid_ids(people: Counter) -> set[str]:
    """Payments that the system says are paid."""
    joined = await people.one("SELECT coalesce(string_agg(id::text, ' '), '') FROM payment WHERE status = 'paid'")
    return set(str(joined).split())


async def until_booked(people: Counter, path: Path) -> None:
    """What the drivers tell is what is booked."""
    told = {one for one, line in read_payments(path).items() if line.state == "paid"}

    async def booked() -> bool:
        return await paid_ids(people) == told

    await until(booked)


async def test_what_drivers_tell_of_their_payments_is_what_is_booked(people: Counter, tmp_path: Path) -> None:
    path = tmp_path / "drivers.jsonl"
    with Told(path, HEADER) as told:
        drivers = settling(people, told)
        for days_ago, habit in enumerate((Habit.BEFORE_LEAVING, Habit.FROM_TWO_PHONES, Habit.AFTERWARDS)):
            await ended(people, 3 - days_ago)
            await asyncio.to_thread(drivers.settle, "KA-001", driver(habit))
            await until_booked(people, path)
        await asyncio.to_thread(drivers.settle, "KB-001", driver(Habit.BEFORE_LEAVING))
    assert (drivers.paid, drivers.nothing_due) == (4, 1)
    told_payments = read_payments(path).values()
    assert {one.amount_fen for one in told_payments} == {600}
    assert sum(one.habit == "from-two-phones" for one in told_payments) == 2


async def test_at_the_kiosk_a_code_is_shown_paid_and_a_slip_printed(people: Counter, tmp_path: Path) -> None:
    kiosk = Kiosk(people.url, await people.town.key("kiosk"))
    await ended(people)
    with Told(tmp_path / "drivers.jsonl", HEADER) as told:
        drivers = settling(people, told, kiosk)
        await asyncio.to_thread(drivers.settle, "KA-001", driver(Habit.AT_THE_KIOSK))
        await asyncio.to_thread(drivers.settle, "KB-001", driver(Habit.AT_THE_KIOSK))
    kiosk.close()
    assert (drivers.paid, drivers.slips, drivers.nothing_due) == (1, 1, 1)
    assert {one.by for one in read_payments(tmp_path / "drivers.jsonl").values()} == {"kiosk"}
    assert await people.one("SELECT count(*) FROM payment WHERE device_key_id IS NOT NULL AND status = 'paid'") == 1


async def test_a_pass_is_bought_once_for_a_plate(people: Counter, tmp_path: Path) -> None:
    terms = OfferTerms(code="ka-month", name="KA 月卡", name_en="KA, a month", lots=("KA",), days=30, price_fen=10_000)
    async with people.town.database.transaction() as db:
        await add_offer(db, terms, actor="operator:li", at=real_now())
    path = tmp_path / "drivers.jsonl"
    with Told(path, HEADER) as told:
        drivers = settling(people, told)
        for days_ago in (1, 0):
            await ended(people, days_ago)
            await asyncio.to_thread(drivers.settle, "KA-001", driver(Habit.PASS_HOLDER, says_plate=True))
    await until_booked(people, path)
    assert [(one.purpose, one.amount_fen) for one in read_payments(path).values()] == [("pass", 10_000)]
    assert drivers.plates_said == 2


async def test_a_warden_photographs_who_stands_there_and_misses_some(people: Counter, tmp_path: Path) -> None:
    await people.town.operator("wang", "warden", hash_password(PASSWORD))
    stays = [await people.town.session(code, now() - timedelta(hours=2)) for code in CODES]
    path = tmp_path / "drivers.jsonl"
    walking_ms = 0
    with Told(path, HEADER) as told:
        warden = Warden(people.url, "wang", PASSWORD, clock=RealClock(), told=told, seed=_misses_one_of(stays))
        for _ in range(6):
            walking_ms += 60 * 60_000
            await asyncio.to_thread(warden.turn, walking_ms, lambda space: driver_of(space, 1, seed=1))
        warden.close()
    assert (warden.photographed, warden.missed) == (2, 1)
    lines = [line.patrol for line in read_told(path) if line.patrol is not None]
    assert {one.photographed for one in lines} == {True, False}
    assert all("*" in one.plate for one in lines)
    seen = "SELECT count(*) FROM plate_evidence WHERE source = 'warden' AND photo IS NOT NULL"
    assert await people.one(seen) == 2


def _misses_one_of(stays: list[UUID]) -> int:
    """A seed by which the warden misses exactly one of them."""

    def missed(seed: int) -> int:
        return sum(Dice(key_of(seed, "warden", str(stay))).uniform() < MISSES for stay in stays)

    return next(seed for seed in range(1_000) if missed(seed) == 1)
