"""The price of an hour on the map: by the notice, and by the days that somebody decided about."""

from datetime import datetime

from api.live_city.prices import Prices
from billing.calendar import Calendar
from core.clock import milliseconds
from tests.support.tariffs import shipped_tariff


def test_an_hour_costs_nothing_on_a_day_that_is_free_by_decree() -> None:
    tariff = shipped_tariff("xinchang-kerb")
    nine = datetime(2026, 3, 10, 9, tzinfo=tariff.zone)
    fair = Calendar(special={}, years=frozenset({2026}), free={nine.date(): "a fair"})
    code = tariff.code
    assert Prices({code: tariff}).hour_fen(milliseconds(nine)) == {code: 300}
    assert Prices({code: tariff}, {code: fair}).hour_fen(milliseconds(nine)) == {code: 0}
