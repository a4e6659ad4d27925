"""From sensors' messages through the real ingest: evidence told before its stay was known, and a stay that is split."""

import time
from uuid import UUID

import pytest

from billing.evidence.recording import Sighting, record_sighting
from billing.plates import PlateKey, PlateVault
from core.clock import RealClock, instant
from core.db import Database
from core.plate import parse_plate
from ops.jobs import bill_sessions
from tests.support.street import Street

pytestmark = pytest.mark.services

MINUTE = 60_000
VAULT = PlateVault((PlateKey("k" * 32),))


async def test_evidence_waits_for_its_stay_and_goes_with_the_car_when_a_late_departure_splits_it(
    street: Street,
) -> None:
    store = Database(street.database_url)
    now_ms = int(time.time() * 1_000)
    begin = now_ms - 300 * MINUTE
    space_id = await street.db.fetchval("SELECT id FROM space WHERE code = 'KL-001'")
    plates = {"浙D11111": begin - MINUTE, "浙D22222": begin + 100 * MINUTE}
    for plate, at_ms in plates.items():
        seen = Sighting(
            source="camera",
            space_id=space_id,
            plate=parse_plate(plate),
            colour="blue",
            confidence_percent=90,
            observed_at=instant(at_ms),
            seen_by="device:1",
        )
        async with store.transaction() as db:
            assert (await record_sighting(db, VAULT, seen, photo=None, at=instant(now_ms))).session_id is None

    await street.start_ingest()
    street.send("KL-001", occupied=True, at_ms=begin)
    street.send("KL-001", occupied=False, at_ms=begin + 200 * MINUTE)
    await street.until_readings(2)
    await bill_sessions(store, RealClock())
    (only,) = await street.sessions()
    assert await _known(street) == {only["id"]: ["浙D11111", "浙D22222"]}

    street.send("KL-001", occupied=False, at_ms=begin + 50 * MINUTE)
    street.send("KL-001", occupied=True, at_ms=begin + 60 * MINUTE)
    await street.until_readings(4)
    await bill_sessions(store, RealClock())
    first, second = await street.sessions()
    assert await _known(street) == {first["id"]: ["浙D11111"], second["id"]: ["浙D22222"]}
    billed = "SELECT bool_and(billed_revision = revision), count(*) FROM parking_session"
    assert tuple(await street.db.fetchrow(billed)) == (True, 2)
    await store.close()


async def _known(street: Street) -> dict[UUID, list[str]]:
    """The plates of each session."""
    rows = await street.db.fetch(
        "SELECT session_id, ciphertext FROM plate_evidence JOIN plate ON plate.id = plate_id ORDER BY observed_at"
    )
    known: dict[UUID, list[str]] = {}
    for session_id, ciphertext in rows:
        known.setdefault(session_id, []).append(VAULT.open(ciphertext, 1).text)
    return known
