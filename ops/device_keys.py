"""Keys of devices: made, shown once, revoked. What is stored is a digest."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.audit import AuditEntry, write_audit
from core.errors import LotNotFoundError, NotFoundError
from core.tables import DeviceKey, Lot
from core.tokens import digest_of, new_secret


class DeviceKind(StrEnum):
    """What a key is for."""

    KIOSK = "kiosk"
    UPLINK = "uplink"
    """A platform that pushes sensors' messages, or a lot's counts, over HTTP."""
    CAMERA = "camera"


async def add_key(db: AsyncConnection, name: str, kind: DeviceKind, *, lot: str | None = None) -> tuple[int, str]:
    """Its number, and the key itself, which cannot be read again.

    Raises:
        LotNotFoundError: no lot has the code ``lot``.
    """
    lot_id = await _lot_id(db, lot) if lot else None
    secret = new_secret(kind.value)
    key = (
        insert(DeviceKey)
        .values(kind=kind.value, name=name, digest=digest_of(secret), lot_id=lot_id)
        .returning(DeviceKey.id)
    )
    number: int = (await db.execute(key)).scalar_one()
    await write_audit(db, _entry("key.added", number, after={"kind": kind.value, "name": name, "lot": lot}))
    return number, secret


async def revoke_key(db: AsyncConnection, number: int) -> str:
    """Let it open nothing any more; its name.

    Raises:
        NotFoundError: there is none of this number that is not revoked.
    """
    revoked = (
        update(DeviceKey)
        .where(DeviceKey.id == number, DeviceKey.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
        .returning(DeviceKey.name)
    )
    name: str | None = (await db.execute(revoked)).scalar_one_or_none()
    if name is None:
        raise NotFoundError(f"there is no key {number} that is not revoked", number=number)
    await write_audit(db, _entry("key.revoked", number))
    return name


async def _lot_id(db: AsyncConnection, code: str) -> int:
    lot_id: int | None = (await db.execute(select(Lot.id).where(Lot.code == code))).scalar_one_or_none()
    if lot_id is None:
        raise LotNotFoundError(f"no lot has the code {code!r}", lot_id=code)
    return lot_id


def _entry(action: str, number: int, **values: Any) -> AuditEntry:
    return AuditEntry(at=datetime.now(UTC), actor="command", action=action, subject=f"device:{number}", **values)
