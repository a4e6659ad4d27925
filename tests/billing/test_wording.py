"""Every kind of line is worded in both languages, from facts alone."""

from datetime import date, datetime, timedelta
from typing import get_args

import pytest

from billing.calendar import Calendar
from billing.coupons import Coupon
from billing.covers import Cover
from billing.fee import fee_object
from billing.lines import Bill, Line, Why
from billing.pricing import price_stay
from billing.wording import why_text
from core.stay import Stay, VehicleClass
from tests.support.tariffs import shipped_tariff


def bill(notice: str, entry: str, minutes: int, vehicle: str = "small", *history: tuple[str, int]) -> Bill:
    tariff = shipped_tariff(notice)

    def stay(at: str, length: int) -> Stay:
        entered_at = datetime.fromisoformat(f"{at}").replace(tzinfo=tariff.zone)
        return Stay(entered_at=entered_at, left_at=entered_at + timedelta(minutes=length))

    earlier = [stay(*one) for one in history]
    word = VehicleClass(vehicle)
    return price_stay(tariff, stay(entry, minutes), zone=tariff.zone, vehicle=word, history=earlier)


def reduced() -> Bill:
    """From the afternoon to the noon of a free day, with a pass for the first hour and two coupons."""
    tariff = shipped_tariff("xinchang-kerb")
    entered_at = datetime(2026, 3, 10, 16, tzinfo=tariff.zone)
    stay = Stay(entered_at=entered_at, left_at=entered_at + timedelta(hours=20))
    noon = entered_at + timedelta(hours=1)
    calendar = Calendar(special={}, years=frozenset(), free={date(2026, 3, 11): "市集"})
    covers = [Cover(kind="pass", note="7", spans=((entered_at, noon),))]
    coupons = [
        Coupon(kind="percent", value=50, bearer="茶馆"),
        Coupon(kind="amount", value=100, bearer="茶馆"),
    ]
    return price_stay(tariff, stay, zone=tariff.zone, calendar=calendar, covers=covers, coupons=coupons)


BILLS = {
    "reduced": reduced(),
    "units": bill("xinchang-kerb", "2026-03-10T09:00", 75),
    "free": bill("xinchang-kerb", "2026-03-10T09:00", 30),
    "night": bill("xinchang-kerb", "2026-03-10T20:30", 690),
    "incomplete": bill("cn-bj-class1", "2026-03-10T19:00", 119),
    "cap": bill("cn-zj-taizhou-zone1", "2026-03-10T08:00", 720),
    "half": bill("cn-js-yangzhou-nev", "2026-03-10T08:00", 120, "small-nev"),
    "double": bill("cn-bj-class1", "2026-03-10T08:00", 60, "large"),
    "by time": bill("eu-ocpi-parking-weekday-sat", "2026-03-14T15:24", 71),
    "sunday": bill("us-frederick-md-garage", "2026-03-15T09:00", 240),
    "again": bill("au-wilson-westpoint-reentry", "2026-03-10T15:00", 120, "small", ("2026-03-10T10:00", 270)),
    "reached": bill("sample-long-stay", "2026-03-10T09:00", 121),
    "once": bill("sample-long-stay", "2026-03-10T09:00", 481),
    "waits": bill("sample-long-stay", "2026-03-10T09:00", 241, "large"),
    "early bird": bill("sample-commuter", "2026-03-10T09:00", 480, "large"),
    "exempt": bill("cn-zj-taizhou-zone1", "2026-03-10T08:00", 720, "police"),
}
SAID = [
    ("units", "收费时段：2 × ¥3.00（每 1 小时）", "charged hours: 2 × ¥3.00 (1 hour each)"),
    ("free", "免费时长：30 分钟（含）以内免费", "free minutes: free up to 30 min"),
    ("night", "非收费时段：不收费", "outside the charged hours: not charged"),
    ("incomplete", "夜间：不足 2 小时，不计费", "night: less than 2 hours is not charged"),
    ("cap", "每日封顶：每日最高 ¥20.00", "daily cap: at most ¥20.00 a day"),
    ("half", "优惠比例：按 50% 收取", "share due: 50 % is due"),
    ("half", "取整：取整到 ¥1.00", "rounding: made round to ¥1.00"),
    ("half", "新能源车免费时长：免费 1 小时", "new-energy free hour: 1 hour free"),
    ("double", "白天：4 × ¥2.50（每 15 分钟） × 200%", "day: 4 × ¥2.50 (15 min each) × 200%"),
    ("by time", "周六：75 分钟 × €6.00/1 小时，每 5 分钟计一次", "Saturday: 75 min at €6.00/1 hour, by 5 min"),
    ("sunday", "周日免费时段：免费", "free Sunday hours: free"),
    (
        "again",
        "前次停车已计费用：连续停放，减去前 1 次已计费用",
        "charged for the linked stay before: one stay with the 1 before: what was due for it is taken off",
    ),
    ("reduced", "停车卡：7 号，已付费", "pass: number 7, paid for"),
    ("reduced", "免费日：市集，不收费", "free day: 市集: not charged"),
    ("reduced", "优惠券：减免 50%（茶馆）", "coupon: 50 % off (茶馆)"),
    ("reduced", "优惠券：减免至多 ¥1.00（茶馆）", "coupon: up to ¥1.00 off (茶馆)"),
    (
        "reached",
        "计费：超过 2 小时，全程按 3 × ¥3.00（每 1 小时）",
        "charged: longer than 2 hours, for the whole stay 3 × ¥3.00 (1 hour each)",
    ),
    ("once", "计费：超过 8 小时，全程按 ¥30.00", "charged: longer than 8 hours, for the whole stay ¥30.00"),
    ("waits", "计费：按长时停放价格暂不加收", "charged: the longer stay's price adds nothing yet"),
    (
        "early bird",
        "早鸟价：在规定时段进出，一口价 ¥20.00 × 200%",
        "early bird: came and went by its hours: ¥20.00 × 200% in all",
    ),
    ("exempt", "免费车辆：警车免费", "exempt vehicle: police: free of charge"),
]


@pytest.mark.parametrize(("name", "zh", "en"), SAID)
def test_a_line_says_why_in_both_languages(name: str, zh: str, en: str) -> None:
    of = BILLS[name]
    assert zh in [why_text(line, "zh", of.currency) for line in of.lines]
    assert en in [why_text(line, "en", of.currency) for line in of.lines]


def test_every_kind_of_fact_is_worded_above() -> None:
    lines: list[Line] = [line for of in BILLS.values() for line in of.lines]
    assert {type(line.why) for line in lines} == set(get_args(Why))


def test_a_final_bill_no_longer_changes() -> None:
    fee = fee_object(BILLS["units"], "en")
    assert (fee["next_change_at"], fee["next_total_fen"]) == (None, None)
    assert fee["lines"][0]["why"] == "charged hours: 2 × ¥3.00 (1 hour each)"
