"""What each coupon of a stay came to: the fee with those before it less the fee with it too. Pure."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from billing.circumstances import Circumstances
from billing.coupons import stacked
from billing.tariff import Tariff
from core.money import Fen
from core.stay import Stay


def worths(circumstances: Circumstances, tariff: Tariff, stay: Stay, zone: ZoneInfo) -> list[Fen]:
    """How much each coupon took off, in the order in which they were given; one that did not count, nothing.

    None is below 0, and together they are exactly what all coupons take off.
    """
    coupons = circumstances.coupons
    if not coupons:
        return []
    rules = tariff.document.coupons
    total = int(circumstances.bill(tariff, stay, zone).total_fen)
    before = int(replace(circumstances, coupons=()).bill(tariff, stay, zone).total_fen)
    numbers = {id(coupon): number for number, coupon in enumerate(coupons)}
    applied = stacked(coupons, rules.stacking, rules.most)
    worth = [Fen(0)] * len(coupons)
    for count, coupon in enumerate(applied, 1):
        now = total
        if count < len(applied):
            so_far = replace(circumstances, coupons=tuple(applied[:count]))
            now = min(max(int(so_far.bill(tariff, stay, zone).total_fen), total), before)
        worth[numbers[id(coupon)]] = Fen(before - now)
        before = now
    return worth
