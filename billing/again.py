"""A bill computed once more from what is stored with it (B2). Pure."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from billing.circumstances import circumstances_kept
from billing.lines import Bill, bill_from_json, bill_to_json
from billing.pricing import price_stay
from billing.tariff import Tariff
from core.stay import Stay


def price_again(fee: Mapping[str, Any], tariff: Tariff, stay: Stay | None = None) -> Bill:
    """The bill of a stay by the inputs that are stored in ``bill.fee``; ``stay`` where another is to be priced."""
    billed, zone = bill_from_json(fee["bill"]), ZoneInfo(fee["zone"])
    if "inputs" in fee:
        return circumstances_kept(fee["inputs"]).bill(tariff, stay or billed.stay, zone)
    vehicle = None if billed.class_assumed else billed.vehicle  # a bill from before circumstances were kept
    return price_stay(tariff, stay or billed.stay, zone=zone, vehicle=vehicle)


def is_equal_again(fee: Mapping[str, Any], total_fen: int, tariff: Tariff) -> bool:
    """Whether the same inputs still give the same lines and the same total, to the fen."""
    again = price_again(fee, tariff)
    return again.total_fen == total_fen and bill_to_json(again) == fee["bill"]
