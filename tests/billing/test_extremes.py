"""Stays of a year, leap days, zones whose clocks change, moments: right answers, or a clear refusal."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.pricing import price_stay, quote
from billing.tariff import load_tariff
from billing.vehicles import VehicleUnknownError
from core.errors import InvalidError
from core.stay import Stay, StayEndsBeforeItBeginsError, VehicleClass
from tests.support.tariffs import shipped_tariff

KERB = shipped_tariff("xinchang-kerb")
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)


def stay(entry: str, leave: str, zone: str) -> Stay:
    entered_at, left_at = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) for text in (entry, leave))
    return Stay(entered_at=entered_at, left_at=left_at)


def test_a_stay_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(StayEndsBeforeItBeginsError, match="before it begins"):
        Stay(entered_at=NOON, left_at=NOON - timedelta(milliseconds=1))


def test_a_time_without_an_offset_is_no_instant() -> None:
    with pytest.raises(InvalidError, match="no offset"):
        Stay(entered_at=NOON.replace(tzinfo=None), left_at=NOON)


def test_a_stay_of_no_time_costs_nothing_and_says_when_it_will() -> None:
    said = quote(KERB, Stay(entered_at=NOON, left_at=NOON), zone=KERB.zone)
    assert (said.bill.total_fen, said.bill.lines) == (0, ())
    assert said.next_change_at == NOON + timedelta(minutes=31)
    assert said.next_total_fen == 300


def test_a_year_on_a_tariff_with_a_daily_cap_costs_the_cap_every_day() -> None:
    tariff = shipped_tariff("cn-zj-taizhou-zone1")
    year = stay("2027-03-01T00:00", "2028-03-01T00:00", "Asia/Shanghai")
    assert price_stay(tariff, year, zone=tariff.zone).total_fen == 366 * 2_000  # 29 February 2028 among them


def test_leap_day_counts_like_any_other() -> None:
    leap = stay("2028-02-28T20:30", "2028-03-01T08:00", "Asia/Shanghai")
    assert price_stay(KERB, leap, zone=KERB.zone).total_fen == 300 * 15  # 30 + 810 + 30 minutes


@pytest.mark.parametrize(
    ("entry", "leave", "hours"),
    [
        ("2026-03-29T00:00", "2026-03-30T00:00", 23),  # Amsterdam skips 02:00-03:00
        ("2026-10-25T00:00", "2026-10-26T00:00", 25),  # and has 02:00-03:00 twice
        ("2026-03-29T01:30", "2026-03-29T03:30", 1),
        ("2026-10-25T01:30", "2026-10-25T03:30", 3),
    ],
)
def test_real_hours_are_charged_where_the_clocks_change(entry: str, leave: str, hours: int) -> None:
    tariff = shipped_tariff("us-cds-rate-units")
    assert price_stay(tariff, stay(entry, leave, "Europe/Amsterdam"), zone=ZoneInfo("Europe/Amsterdam")).total_fen == (
        500 * hours
    )


NIGHT = b"""{"code": "night", "name": {"zh": "n", "en": "n"}, "notice": {"source": "a test"},
"zone": "Europe/Amsterdam", "calendar": {"official": false}, "plans": {"p": {"outside": "free", "bands": [{
"name": "paid", "windows": [{"opens": "01:30", "closes": "02:30"}],
"tiers": [{"from_min": 0, "unit_min": 1, "price_fen": 1}]}]}}}"""


@pytest.mark.parametrize(
    ("night", "minutes"),
    [
        ("2026-03-28", 60),
        ("2026-03-29", 30),  # 02:00 becomes 03:00: the wall never shows 02:00 to 02:30
        ("2026-10-25", 60),  # 02:30 comes twice: closed from the first on
    ],
)
def test_a_window_opens_and_closes_at_what_the_wall_shows(night: str, minutes: int) -> None:
    tariff = load_tariff(NIGHT)
    assert (
        price_stay(tariff, stay(f"{night}T00:00", f"{night}T06:00", "Europe/Amsterdam"), zone=tariff.zone).total_fen
        == minutes
    )


def test_the_lots_zone_decides_not_the_documents() -> None:
    morning = stay("2026-03-10T07:30", "2026-03-10T09:30", "Asia/Tokyo")
    assert price_stay(KERB, morning, zone=ZoneInfo("Asia/Tokyo")).total_fen == 600
    assert price_stay(KERB, morning, zone=KERB.zone).total_fen == 300


@pytest.mark.parametrize(
    ("vehicle", "priced", "assumed"),
    [(None, "small", True), ("small", "small", False), ("small-nev", "small", False), ("motorcycle", "small", True)],
)
def test_a_vehicle_without_a_price_of_its_own_pays_as_its_size_or_the_default(
    vehicle: str | None, priced: str, assumed: bool
) -> None:
    tariff = shipped_tariff("cn-bj-class1")
    word = VehicleClass(vehicle) if vehicle else None
    bill = price_stay(tariff, Stay(entered_at=NOON, left_at=NOON), zone=tariff.zone, vehicle=word)
    assert (bill.vehicle, bill.class_assumed) == (priced, assumed)


def test_a_vehicle_nobody_knows_is_refused_with_the_nearest_word() -> None:
    with pytest.raises(VehicleUnknownError, match="did you mean 'small'"):
        price_stay(KERB, Stay(entered_at=NOON, left_at=NOON), zone=KERB.zone, vehicle=VehicleClass("smal"))
