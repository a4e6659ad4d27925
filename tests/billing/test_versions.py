"""A stay during which the notice changes is priced by one version, all of it."""

import json
from datetime import datetime

import pytest

from billing.notices import read
from billing.tariff import Tariff, load_tariff
from billing.versions import version_for
from core.errors import TariffNotFoundError
from core.stay import Stay


def version(number: int, **fields: object) -> Tariff:
    return load_tariff(json.dumps({**json.loads(read("xinchang-kerb")), "version": number, **fields}).encode())


NEW_YEAR = Stay(
    entered_at=datetime.fromisoformat("2026-12-31T20:00+08:00"),
    left_at=datetime.fromisoformat("2027-01-01T09:00+08:00"),
)


def test_the_version_in_force_at_arrival_prices_the_whole_stay() -> None:
    versions = [version(1, valid_until="2027-01-01"), version(2, valid_from="2027-01-01")]
    assert version_for(versions, NEW_YEAR).version == 1


def test_a_notice_may_say_that_the_departure_decides() -> None:
    rule = {"when_price_changes": "version_at_departure"}
    versions = [version(1, valid_until="2027-01-01", **rule), version(2, valid_from="2027-01-01")]
    assert version_for(versions, NEW_YEAR).version == 2


def test_a_correction_is_a_further_version_of_the_same_days() -> None:
    assert version_for([version(2), version(1)], NEW_YEAR).version == 2


def test_a_stay_before_the_notice_has_no_price() -> None:
    with pytest.raises(TariffNotFoundError):
        version_for([version(1, valid_from="2027-01-01")], NEW_YEAR)
    with pytest.raises(TariffNotFoundError):
        version_for([], NEW_YEAR)
