"""Drivers: the same life for the same seed, every habit, and phones with addresses of their own."""

from collections import Counter

import pytest

from core.plate import parse_plate
from simulator.drivers.habits import (
    MINUTE_MS,
    ON_THE_SPOT,
    PLATES,
    SHARES,
    Driver,
    Habit,
    driver_of,
    plate_of,
    shares_of,
)
from simulator.drivers.phone import address_of
from simulator.drivers.streets import SPREAD_MS, Streets

NOW_MS = 1_795_390_000_000
SPACES = [f"A-{number:03d}" for number in range(1_000)]


def due_within(streets: Streets, until_ms: int) -> list[tuple[str, Driver]]:
    found = []
    while (due := streets.next_due(until_ms)) is not None:
        found.append(due)
    return found


def test_seed_space_and_arrival_decide() -> None:
    drivers = [driver_of(space, NOW_MS, seed=1) for space in SPACES]
    assert drivers == [driver_of(space, NOW_MS, seed=1) for space in SPACES]
    assert drivers != [driver_of(space, NOW_MS, seed=2) for space in SPACES]
    shares = Counter(driver.habit for driver in drivers)
    assert all(abs(shares[habit] / len(drivers) - share) < 0.05 for habit, share in SHARES.items())


def test_two_phones_pay_two_providers() -> None:
    drivers = [driver_of(space, NOW_MS, seed=1) for space in SPACES]
    for driver in drivers:
        assert len(driver.channels) == len(driver.phones) == (2 if driver.habit is Habit.FROM_TWO_PHONES else 1)
        assert len({channel[:6] for channel in driver.channels}) == len(driver.channels)


def test_who_was_there_before_pays_soon_and_who_comes_now_later() -> None:
    streets = Streets(seed=1)
    streets.look(SPACES, "o" * 500 + "f" * 500, NOW_MS)
    soon = due_within(streets, NOW_MS + SPREAD_MS)
    assert {space for space, _ in soon} <= set(SPACES[:500])
    assert 200 < len(soon) < 320
    streets.look(SPACES, "o" * 501 + "f" * 499, NOW_MS + SPREAD_MS)
    assert due_within(streets, NOW_MS + SPREAD_MS + MINUTE_MS) == []


def test_who_pays_afterwards_pays_after_leaving() -> None:
    streets = Streets(seed=1)
    streets.look(SPACES, "o" * 1_000, NOW_MS)
    due_within(streets, NOW_MS + SPREAD_MS)
    streets.look(SPACES, "f" * 1_000, NOW_MS + SPREAD_MS)
    later = due_within(streets, NOW_MS + SPREAD_MS + 60 * MINUTE_MS)
    assert {driver.habit for _, driver in later} == {Habit.AFTERWARDS}
    assert 190 < len(later) < 310


def test_a_space_that_is_unknown_for_a_while_brings_nobody_twice() -> None:
    streets = Streets(seed=1)
    for states in ("o" * 1_000, "u" * 1_000):
        streets.look(SPACES, states, NOW_MS)
    assert len(due_within(streets, NOW_MS + SPREAD_MS)) == len(
        {space for space in SPACES if driver_of(space, NOW_MS, seed=1).habit in ON_THE_SPOT}
    )


def test_phones_have_loopback_addresses_of_their_own_and_none_elsewhere() -> None:
    addresses = {address_of(number, "http://127.0.0.1:8000") for number in range(0, 2**16, 97)}
    assert len(addresses) > 600
    assert all(address and address.startswith("127.") and address != "127.0.0.1" for address in addresses)
    assert address_of(7, "https://parking.example") is None


def test_shares_are_all_there_is() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == set(Habit)
    assert shares_of({}) is SHARES
    nobody_pays = shares_of({"never": 1.0})
    assert {driver_of(space, NOW_MS, seed=1, shares=nobody_pays).habit for space in SPACES} == {Habit.NEVER}


def test_every_vehicle_has_a_plate_that_can_be_one_and_some_come_back() -> None:
    plates = [plate_of(number, seed=1) for number in range(0, PLATES, 7)]
    assert all(parse_plate(plate).kind == "civil" for plate in plates)
    seen = Counter(driver_of(space, NOW_MS + day, seed=1).plate for space in SPACES for day in range(5))
    assert max(seen.values()) > 1


def test_who_stands_where_is_known_while_he_stands_there() -> None:
    streets = Streets(seed=1)
    streets.look(SPACES, "o" + "f" * 999, NOW_MS)
    assert streets.driver_on("A-000") == driver_of("A-000", NOW_MS, seed=1)
    streets.look(SPACES, "f" * 1_000, NOW_MS + MINUTE_MS)
    assert streets.driver_on("A-000") is None
