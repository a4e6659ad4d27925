"""What kiosks tell of themselves, queued while they are alone; each number of a kiosk counts once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.tables import DeviceKey, KioskEvent, KioskFind, Lot

BUSY_HOUR: Final = 60
"""More searches than this in an hour are more people than come to a kiosk."""
WRONG_HOUR: Final = 6
"""So many wrong answers in an hour are somebody guessing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened there."""

    seq: int
    at: datetime
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskSeen:
    """A kiosk as its operator sees it."""

    number: int
    name: str
    lot_code: str | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    events_seq: int
    last_event: str | None
    last_event_at: datetime | None
    finds_hour: int
    """Searches within the last hour."""
    nothing_hour: int
    """Of them those that found nothing."""
    wrong_hour: int
    """Wrong answers to choices."""

    @property
    def is_odd(self) -> bool:
        """Whether somebody seems to try numbers or plates there."""
        return self.finds_hour > BUSY_HOUR or self.wrong_hour >= WRONG_HOUR


async def store_events(db: AsyncConnection, device_key_id: int, events: Sequence[Event], *, at: datetime) -> int:
    """Keep the events whose numbers are new; how many. ``at`` in real time."""
    if not events:
        return 0
    rows = [
        {
            "device_key_id": device_key_id,
            "seq": event.seq,
            "at": event.at,
            "kind": event.kind,
            "detail": event.detail,
            "received_at": at,
        }
        for event in {event.seq: event for event in events}.values()
    ]
    new = insert(KioskEvent).values(rows).on_conflict_do_nothing(index_elements=["device_key_id", "seq"])
    return len((await db.execute(new.returning(KioskEvent.seq))).all())


async def fetch_events_seq(db: AsyncConnection, device_key_id: int) -> int:
    """The highest number seen of this kiosk; 0 before its first."""
    highest = select(func.coalesce(func.max(KioskEvent.seq), 0)).where(KioskEvent.device_key_id == device_key_id)
    return int((await db.execute(highest)).scalar_one())


async def fetch_lot_code(db: AsyncConnection, device_key_id: int) -> str | None:
    """The lot in which a kiosk stands."""
    query = select(Lot.code).join(DeviceKey, DeviceKey.lot_id == Lot.id).where(DeviceKey.id == device_key_id)
    return (await db.execute(query)).scalar_one_or_none()


async def list_kiosks(db: AsyncConnection, *, at: datetime) -> list[KioskSeen]:
    """Every kiosk, those that are revoked too. ``at`` in real time."""
    hour = KioskFind.found_at > at - timedelta(hours=1)
    searches = (
        select(
            KioskFind.device_key_id,
            func.count().label("finds"),
            func.count().filter(KioskFind.session_id.is_(None)).label("nothing"),
            func.sum(KioskFind.wrong).label("wrong"),
        )
        .where(hour)
        .group_by(KioskFind.device_key_id)
        .subquery()
    )
    newest = (
        select(KioskEvent.device_key_id, KioskEvent.seq, KioskEvent.kind, KioskEvent.at)
        .distinct(KioskEvent.device_key_id)
        .order_by(KioskEvent.device_key_id, KioskEvent.seq.desc())
        .subquery()
    )
    query = (
        select(
            DeviceKey.id.label("number"),
            DeviceKey.name,
            Lot.code.label("lot_code"),
            DeviceKey.last_used_at,
            DeviceKey.revoked_at,
            func.coalesce(newest.c.seq, 0).label("events_seq"),
            newest.c.kind.label("last_event"),
            newest.c.at.label("last_event_at"),
            func.coalesce(searches.c.finds, 0).label("finds_hour"),
            func.coalesce(searches.c.nothing, 0).label("nothing_hour"),
            func.coalesce(searches.c.wrong, 0).label("wrong_hour"),
        )
        .outerjoin(Lot, Lot.id == DeviceKey.lot_id)
        .outerjoin(newest, newest.c.device_key_id == DeviceKey.id)
        .outerjoin(searches, searches.c.device_key_id == DeviceKey.id)
        .where(DeviceKey.kind == "kiosk")
        .order_by(DeviceKey.id)
    )
    return [KioskSeen(**row) for row in (await db.execute(query)).mappings()]
