"""Whom a demo lets in beside its drivers: a kiosk with its key, and a warden with a login."""

from secrets import token_urlsafe
from typing import Final

from sqlalchemy import insert

from api.passwords import hash_password
from core.audit import AuditEntry, write_audit
from core.clock import RealClock
from core.db import Database
from core.roles import Role
from core.tables import Operator
from ops.device_keys import DeviceKind, add_key

WARDEN: Final = "simulated-warden"


async def admit_people(database_url: str) -> dict[str, str]:
    """Let them in; the settings by which the drivers' process is them (``docs/simulator.md``), secrets included."""
    password = token_urlsafe(18)
    database = Database(database_url, pool_size=1, application="parking-demo-people")
    try:
        async with database.transaction() as db:
            _, kiosk_key = await add_key(db, "kiosk of the simulated people", DeviceKind.KIOSK)
            person = {"login": WARDEN, "name": "Simulated warden", "role": Role.WARDEN.value}
            await db.execute(insert(Operator).values({**person, "password_hash": hash_password(password)}))
            at = RealClock().now()
            subject = f"operator:{WARDEN}"
            entry = AuditEntry(at=at, actor="demo", action="operator.added", subject=subject, after=person)
            await write_audit(db, entry)
    finally:
        await database.close()
    return {
        "PARKING_KIOSK_KEY": kiosk_key,
        "PARKING_WARDEN_LOGIN": WARDEN,
        "PARKING_WARDEN_PASSWORD": password,
    }
