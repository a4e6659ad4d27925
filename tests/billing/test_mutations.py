"""The cases bite: a notice with any one field changed prices some case otherwise, or is refused."""

import json
import re
from collections import defaultdict

import pytest

from billing.notices import read, shipped
from billing.pricing import price_total
from billing.tariff import Tariff, load_tariff
from billing.tariff.check import check
from billing.tariff.read import TariffInvalidError, read_document
from core.errors import InvalidError
from tests.support.mutations import mutations
from tests.support.tariffs import Case, cases

CASES: dict[str, list[Case]] = defaultdict(list)
for one in cases():
    CASES[one.notice].append(one)

ALL_DAY = "sample-commuter|us-cds|cn-county|cn-js-yangzhou|au-wilson|cn-hb-suizhou|xinchang-scenic|xinchang-yard"
SAME_NOTICE = {
    r".* plans\.[a-z-]+\.outside=.*": "the bands cover every day: nothing lies outside, whatever is promised of it",
    r"(au-wilson|us-cds|cn-county|cn-js-yangzhou|xinchang-yard).* zone=.*": "nothing in the notice looks at the wall",
    r".* calendar\.official=true": "the notice names weekdays only and never asks for holidays",
    r"sample-long-stay zone=.*": "nothing in the notice looks at the wall",
    r"sample-long-stay plans\.cars\.bands\.0\.reached_tier=\"whole_stay_never_less\"": "its prices never are less",
    r"sample-commuter plans\.lot\.flats\.0\.leaves_from=.*": "who leaves sooner pays no more either",
    r".* plans\.kerb\.counting=\"price_at_arrival\"": "there is one price only",
    rf"({ALL_DAY}).*=\"window\"": "a band that is always open opens anew each day: its window is the calendar day",
    r"(cn-zj-taizhou-zone1|cn-sz-class1) .*=\"window\"": "there is one window a day",
    r"(cn-bj|cn-cd|cn-zj-hangzhou).* plans\.[a-z]+\.incomplete_units=\"continue\"": (
        "the clocks restart with each window: no unit could go on into the next"
    ),
    r"us-frederick.* (plans\.garage\.restarts|plans\.garage\.incomplete_units)=.*": (
        "hours are rounded with each window and all cost the same, wherever their count begins"
    ),
    r"us-frederick.* plans\.garage\.bands\.2\.priority=2": "it is the highest either way",
    r"us-frederick.* plans\.garage\.caps\.0.*": "nine hours of a day window never reach the published cap of 12",
    r"cn-zj-hangzhou-westlake day_classes\.2\.any_of\.0\.kind=\"restday\"": (
        "holidays are classed before: the rest days that are left are weekends"
    ),
    r"cn-js-yangzhou-nev .*settlement\.mode=\"(up|half_even)\"": "half the price is never below half a yuan",
    r"xinchang-carpark-\d+ plans\.lot\.bands\.1\.restarts=.*": (
        "the night's one price ends with its window and is due again in the next"
    ),
    r"xinchang-carpark-\d+ plans\.lot\.free\.0\.per=\"calendar_day\"": (
        "no price begins in the first minutes after midnight that a second day could free"
    ),
}
"""Changes that leave the notice saying the same, by pattern, with the reason."""


@pytest.mark.parametrize("notice", [one for one in shipped() if "--" not in one])
def test_changing_any_field_changes_a_fee(notice: str) -> None:
    survivors = [
        what
        for what, document in mutations(json.loads(read(notice)))
        if not _priced_otherwise(notice, json.dumps(document).encode())
        and not any(re.fullmatch(one, f"{notice} {what}") for one in SAME_NOTICE)
        and not check(read_document(json.dumps(document).encode()))
    ]
    assert not survivors


def _priced_otherwise(notice: str, document: bytes) -> bool:
    try:
        tariff = load_tariff(document)
    except TariffInvalidError:
        return True
    return any(_fee(tariff, case) != case.fee_fen for case in CASES[notice])


def _fee(tariff: Tariff, case: Case) -> int | None:
    """None: the changed notice no longer knows the vehicle."""
    try:
        return price_total(tariff, case.stay, zone=tariff.zone, vehicle=case.vehicle, history=case.history)
    except InvalidError:
        return None
