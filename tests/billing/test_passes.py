"""Passes: valid in their windows, one vehicle at a time, fresh tiers afterwards, and never dearer than without."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.again import is_equal_again
from billing.calendar import seeded
from billing.covers import Cover, cover_from_json, cover_to_json
from billing.notices import shipped
from billing.pass_time import pass_time
from billing.passes import PassEndedError, PassTerms, add_pass, end_pass, list_passes
from billing.pricing import price_stay, quote
from billing.tariff.document import Window
from billing.tariffs_in_force import fetch_tariff
from core.db import Database
from core.errors import InvalidError
from core.stay import Stay
from tests.billing.test_who import BLUE, NINE, NOW, OTHER, VAULT, bill_all, current, db, evidence, stay
from tests.support.tariffs import shipped_tariff, stays
from tests.support.walking import CHINA, Meter, between, minutes_of

pytestmark = pytest.mark.services

KERB = shipped_tariff("xinchang-kerb")
NIGHT = (Window(days=("workday",), opens="18:00", closes="08:00"), Window(days=("restday",)))
__all__ = ["db"]  # a fixture


def covered(stay: Stay, marks: list[int], *, fresh: bool) -> Cover:
    """Spans between every other of some minutes after the arrival."""
    ends = [stay.entered_at + timedelta(minutes=minute) for minute in sorted(set(marks))]
    spans = tuple(zip(ends[::2], ends[1::2], strict=False))
    return Cover(kind="pass", note="7", spans=spans, fresh=fresh)


minutes = st.lists(st.integers(0, 3_000), max_size=8)


@given(stays(), minutes)
def test_covered_minutes_are_not_counted_and_the_others_are_walked(stay: Stay, marks: list[int]) -> None:
    cover = covered(stay, marks, fresh=False)
    bill = price_stay(KERB, stay, zone=KERB.zone, covers=[cover])
    walked = minutes_of(stay.entered_at, stay.left_at, CHINA)
    paid = sum(between(at, 7.5, 21) and not any(a <= at < b for a, b in cover.spans) for at in walked)
    assert bill.total_fen == (0 if paid <= 30 else Meter((10**9, 60, 300)).ticks(paid))
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen


@given(st.sampled_from(sorted(shipped())), stays(), minutes, st.booleans(), st.integers(1, 600))
def test_a_pass_never_makes_a_stay_dearer_and_a_longer_one_never_cheaper(
    notice: str, stay: Stay, marks: list[int], fresh: bool, more: int
) -> None:
    tariff = shipped_tariff(notice)
    cover = covered(stay, marks, fresh=fresh)
    bill = price_stay(tariff, stay, zone=tariff.zone, covers=[cover])
    assert bill.total_fen <= price_stay(tariff, stay, zone=tariff.zone).total_fen
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen
    longer = Stay(entered_at=stay.entered_at, left_at=stay.left_at + timedelta(minutes=more))
    if not notice.endswith("last-price"):
        assert price_stay(tariff, longer, zone=tariff.zone, covers=[cover]).total_fen >= bill.total_fen
    assert cover_from_json(json.loads(json.dumps(cover_to_json(cover)))) == cover


@given(stays(), minutes)
def test_a_quote_under_a_pass_names_the_next_change(stay: Stay, marks: list[int]) -> None:
    covers = [covered(stay, marks, fresh=True)]
    now = quote(KERB, stay, zone=KERB.zone, covers=covers)
    if now.next_change_at is None:
        return
    at = Stay(entered_at=stay.entered_at, left_at=now.next_change_at)
    before = Stay(entered_at=stay.entered_at, left_at=now.next_change_at - timedelta(milliseconds=1))
    assert price_stay(KERB, at, zone=KERB.zone, covers=covers).total_fen == now.next_total_fen
    assert price_stay(KERB, before, zone=KERB.zone, covers=covers).total_fen == now.bill.total_fen


def test_an_off_peak_pass_stands_by_night_and_on_rest_days() -> None:
    friday = datetime(2026, 11, 20, 16, tzinfo=CHINA)
    spans = pass_time(
        NIGHT, friday, friday + timedelta(days=3, hours=20), taken=[], zone=ZoneInfo("Asia/Shanghai"), calendar=seeded()
    )
    shown = [
        (begin.astimezone(CHINA).strftime("%a %H"), end.astimezone(CHINA).strftime("%a %H")) for begin, end in spans
    ]
    assert shown == [("Fri 18", "Mon 00"), ("Mon 18", "Tue 08")]


def test_the_hours_that_another_vehicle_takes_are_gone() -> None:
    taken = [(NINE + timedelta(hours=1), NINE + timedelta(hours=2))]
    spans = pass_time([], NINE, NINE + timedelta(hours=5), taken=taken, zone=CHINA, calendar=seeded())
    assert spans == ((NINE, NINE + timedelta(hours=1)), (NINE + timedelta(hours=2), NINE + timedelta(hours=5)))


def terms(**changes: object) -> PassTerms:
    facts = {
        "kind": "monthly",
        "lots": ("KL",),
        "valid_from": NINE - timedelta(days=20),
        "valid_to": NINE + timedelta(days=10),
        "price_fen": 10_000,
    }
    return PassTerms(**{**facts, **changes})  # type: ignore[arg-type]  # each test names what differs


def test_a_pass_that_is_none_is_refused() -> None:
    for wrong in ({"valid_to": NINE - timedelta(days=30)}, {"kind": "off_peak"}, {"windows": NIGHT}, {"price_fen": -1}):
        with pytest.raises(InvalidError):
            terms(**wrong)


async def test_with_two_cars_inside_the_second_pays(db: asyncpg.Connection, store: Database) -> None:
    first, second = await stay(db, 1, NINE, 120), await stay(db, 2, NINE + timedelta(minutes=30), 190)
    await evidence(db, first, BLUE, "camera", "blue")
    await evidence(db, second, OTHER, "camera", "blue")
    async with store.transaction() as work:
        made = await add_pass(work, VAULT, [BLUE, OTHER], terms(), actor="chen", at=NOW)
        assert made.plates == tuple(sorted((BLUE.masked, OTHER.masked)))
    await bill_all(store)
    totals = [(await current(db, one))[0] for one in (first, second)]
    assert totals == [0, 600]  # the second's 90 minutes beside the first
    _, fee = await current(db, second)
    why = [line["why"]["code"] for line in fee["bill"]["lines"]]  # type: ignore[index]  # what json.loads gives
    assert "covered" in why
    async with store.transaction() as work:
        _, tariff = await fetch_tariff(work, "xinchang-kerb", NINE)
    assert is_equal_again(fee, 600, tariff)


async def test_a_pass_that_ends_in_mid_stay_leaves_the_rest_with_fresh_tiers(
    db: asyncpg.Connection, store: Database
) -> None:
    over, claimed = await stay(db, 1, NINE, 240), await stay(db, 2, NINE, 240)
    await evidence(db, over, BLUE, "warden", "blue")
    await evidence(db, claimed, OTHER, "claim")
    async with store.transaction() as work:
        until = NINE + timedelta(minutes=150)
        for plate in (BLUE, OTHER):
            await add_pass(work, VAULT, [plate], terms(valid_to=until), actor="chen", at=NOW)
    await bill_all(store)
    assert [(await current(db, one))[0] for one in (over, claimed)] == [600, 1200]


async def test_a_pass_is_ended_once_and_plates_are_masked(store: Database) -> None:
    async with store.transaction() as work:
        made = await add_pass(work, VAULT, [BLUE], terms(lots=()), actor="chen", at=NOW)
        await end_pass(work, VAULT, made.id, actor="chen", at=NOW)
        with pytest.raises(PassEndedError):
            await end_pass(work, VAULT, made.id, actor="chen", at=NOW)
        (listed,) = await list_passes(work, VAULT)
    assert (listed.ended_by, listed.plates) == ("chen", (BLUE.masked,))
    assert listed.terms.valid_from.tzinfo is not None
    assert listed.ended_at == NOW.astimezone(UTC)
