"""Which days are holidays, which weekend days are worked, and what is not known yet."""

from datetime import date, datetime, timedelta

import pytest

from billing.calendar import Calendar, SpecialDay, calendar_of, seed_days, seeded
from billing.pricing import price_stay
from billing.tariff.days import DayRules
from billing.tariff.document import CalendarRules
from core.stay import Stay
from tests.support.tariffs import shipped_tariff

SHENZHEN = shipped_tariff("cn-sz-class1")


def days(calendar: CalendarRules) -> DayRules:
    return DayRules(calendar=calendar, classes=(), asks_calendar=True)


def words(on: date, rules: DayRules, calendar: Calendar | None = None) -> set[str]:
    return set(rules.day(on, calendar or seeded()).words)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 3, 10), {"all", "tue", "other", "workday"}),
        (date(2026, 3, 14), {"all", "sat", "other", "weekend", "restday"}),
        (date(2026, 2, 14), {"all", "sat", "other", "workday", "make_up"}),
        (date(2026, 10, 1), {"all", "thu", "other", "restday", "holiday"}),
        (date(2026, 10, 3), {"all", "sat", "other", "weekend", "restday", "holiday"}),
    ],
)
def test_a_date_in_a_notices_words(on: date, expected: set[str]) -> None:
    assert words(on, days(CalendarRules())) == expected


def test_a_notice_may_go_by_the_plain_week() -> None:
    plain = days(CalendarRules(make_up_days="weekend", holidays="weekday"))
    assert "weekend" in words(date(2026, 2, 14), plain)
    assert "workday" in words(date(2026, 10, 1), plain)
    assert words(date(2026, 10, 1), days(CalendarRules(official=False))) == {"all", "thu", "other", "workday"}


def test_the_seed_is_rows_and_an_operators_row_outranks_it() -> None:
    rows, years = seed_days()
    assert 2026 in years
    decree = SpecialDay(on=date(2026, 3, 10), kind="holiday", holiday="other_holiday")
    corrected = calendar_of([*rows, decree], years)
    assert "restday" in words(date(2026, 3, 10), days(CalendarRules()), corrected)
    assert len(rows) == len({row.on for row in rows})


def shenzhen(on: str, calendar: Calendar | None = None) -> tuple[int, bool]:
    entered_at = datetime.fromisoformat(f"{on}T10:00+08:00")
    stay = Stay(entered_at=entered_at, left_at=entered_at + timedelta(hours=1))
    bill = price_stay(SHENZHEN, stay, zone=SHENZHEN.zone, calendar=calendar)
    return bill.total_fen, any(line.calendar_assumed for line in bill.lines)


def test_a_year_that_is_not_announced_is_priced_by_weekday_and_says_so() -> None:
    assert shenzhen("2026-10-01") == (360, False)
    assert shenzhen("2027-10-01") == (900, True)
    announced = calendar_of([SpecialDay(on=date(2027, 10, 1), kind="holiday", holiday="national_day")], [2027])
    assert shenzhen("2027-10-01", announced) == (360, False)


def test_a_notice_that_asks_for_no_holidays_assumes_nothing() -> None:
    kerb = shipped_tariff("xinchang-kerb")
    entered_at = datetime.fromisoformat("2035-01-01T10:00+08:00")
    bill = price_stay(kerb, Stay(entered_at=entered_at, left_at=entered_at + timedelta(hours=1)), zone=kerb.zone)
    assert not any(line.calendar_assumed for line in bill.lines)
