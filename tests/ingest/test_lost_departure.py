"""An open session whose vehicle proves to have left at once is void, and no reading is refused for it."""

import pytest

from tests.support.street import Street

pytestmark = pytest.mark.services

MINUTE = 60_000
BEGIN_MS = 1_773_100_000_000


async def test_two_arrivals_without_a_departure_between_leave_a_void_session_and_an_open_one(street: Street) -> None:
    await street.start_ingest()
    street.send("KL-001", occupied=True, at_ms=BEGIN_MS)
    await street.until_readings(1)
    (first,) = await street.sessions()
    street.send("KL-001", occupied=True, at_ms=BEGIN_MS + 40 * MINUTE)
    await street.until_readings(2)
    void, opened = await street.sessions(with_void=True)
    assert (void["id"], void["status"], void["left_ms"]) == (first["id"], "void", BEGIN_MS)
    assert (opened["status"], opened["entered_ms"]) == ("open", BEGIN_MS + 40 * MINUTE)
    assert await street.db.fetchval("SELECT count(*) FROM refusal") == 0


async def test_the_departure_that_comes_late_after_all_makes_it_a_session_again(street: Street) -> None:
    await street.start_ingest()
    street.send("KL-001", occupied=True, at_ms=BEGIN_MS)
    await street.until_readings(1)
    street.send("KL-001", occupied=True, at_ms=BEGIN_MS + 40 * MINUTE)
    await street.until_readings(2)
    street.send("KL-001", occupied=False, at_ms=BEGIN_MS + 30 * MINUTE)
    await street.until_readings(3)
    assert await street.times() == [
        ("KL-001", BEGIN_MS, BEGIN_MS + 30 * MINUTE),
        ("KL-001", BEGIN_MS + 40 * MINUTE, None),
    ]
