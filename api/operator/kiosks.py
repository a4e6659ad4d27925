"""Kiosks as their operator sees them: what they say of themselves, and whether somebody tries numbers there."""

from fastapi import APIRouter
from pydantic import Field

from api.deps import Db
from api.door import AnyRole
from api.door import now as real_now
from api.problems import responses
from api.shapes import Shape
from billing.kiosks.events import KioskSeen, list_kiosks
from core.clock import rfc3339

router = APIRouter(prefix="/api/v1/operator/kiosks", tags=["operator"])


class KioskSeenOut(Shape):
    """One kiosk."""

    number: int
    name: str = Field(examples=["New Century Square, east"])
    lot_id: str | None
    last_used_at: str | None = Field(json_schema_extra={"format": "date-time"})
    revoked_at: str | None = Field(json_schema_extra={"format": "date-time"})
    events_seq: int
    last_event: str | None = Field(examples=["printer-empty"])
    last_event_at: str | None = Field(json_schema_extra={"format": "date-time"})
    finds_hour: int
    """Searches within the last hour."""
    nothing_hour: int
    """Of them those that found nothing."""
    wrong_hour: int
    """Wrong answers to choices within the last hour."""
    is_odd: bool
    """Somebody seems to walk through numbers, or to guess plates."""

    @classmethod
    def of(cls, one: KioskSeen) -> "KioskSeenOut":
        """The kiosk in JSON's types."""
        return cls(
            number=one.number,
            name=one.name,
            lot_id=one.lot_code,
            last_used_at=rfc3339(one.last_used_at) if one.last_used_at else None,
            revoked_at=rfc3339(one.revoked_at) if one.revoked_at else None,
            events_seq=one.events_seq,
            last_event=one.last_event,
            last_event_at=rfc3339(one.last_event_at) if one.last_event_at else None,
            finds_hour=one.finds_hour,
            nothing_hour=one.nothing_hour,
            wrong_hour=one.wrong_hour,
            is_odd=one.is_odd,
        )


@router.get("", responses=responses(401))
async def read_kiosks(db: Db, _person: AnyRole) -> list[KioskSeenOut]:
    """Every kiosk, revoked ones too."""
    return [KioskSeenOut.of(one) for one in await list_kiosks(db, at=real_now())]
