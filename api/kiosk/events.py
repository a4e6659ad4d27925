"""Whom the server takes a kiosk for, and what kiosks report, however often they send it."""

import json
from datetime import datetime
from typing import Any, Final, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field, field_validator

from api.deps import Db, TheParts
from api.door import now as real_now
from api.kiosk.door import TIME, Kiosk, timed
from api.payment_shapes import PLAIN_CHANNELS
from api.problems import responses
from api.shapes import Shape
from billing.kiosks.events import Event, fetch_events_seq, fetch_lot_code, store_events

DETAIL_BYTES: Final = 2_000
EVENTS_AT_ONCE: Final = 200

router = APIRouter()


class KioskOut(Shape):
    """Who the server takes the caller for, and what it should know."""

    server_time: str = TIME
    name: str = Field(examples=["New Century Square, east"])
    number: int
    """Of the device, to be read out to whoever helps."""
    lot_id: str | None = Field(examples=["KL"])
    help_phone: str = Field(examples=["0575-86000000"])
    """May be empty."""
    channels: list[str] = Field(examples=[["wechat", "alipay"]])
    """What may be paid with by scanning."""
    events_seq: int
    """The highest number of an event that was kept: the kiosk goes on above it."""


class EventIn(Shape):
    """Something that happened at the kiosk."""

    model_config = ConfigDict(extra="forbid")

    seq: int = Field(ge=1, le=2**62, examples=[17])
    """Counted up by the kiosk, across restarts."""
    at: datetime = Field(examples=["2026-11-23T04:00:00Z"])
    """By its own clock."""
    kind: Literal["printer-empty", "offline", "online", "reset", "help", "error"] = Field(examples=["printer-empty"])
    detail: dict[str, Any] = Field(default_factory=dict, examples=[{}])

    @field_validator("at")
    @classmethod
    def _has_offset(cls, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("an instant with its offset")
        return at

    @field_validator("detail")
    @classmethod
    def _is_small(cls, detail: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(detail)
        if len(text) > DETAIL_BYTES or "\\u0000" in text:
            raise ValueError(f"at most {DETAIL_BYTES} bytes of JSON, without NUL")
        return detail


class EventsIn(Shape):
    """What waited in the kiosk's queue."""

    events: list[EventIn] = Field(max_length=EVENTS_AT_ONCE, examples=[[]])


class EventsOut(Shape):
    """What became of them."""

    server_time: str = TIME
    stored: int
    repeated: int
    """Known by their numbers already."""
    events_seq: int


@router.get("/me", responses=responses(401, 429), response_model=KioskOut)
async def read_kiosk(kiosk: Kiosk, parts: TheParts, db: Db) -> dict[str, Any]:
    """Whether this kiosk's key is good, what time it is, and what may be paid with."""
    return timed(
        {
            "name": kiosk.name,
            "number": kiosk.id,
            "lot_id": await fetch_lot_code(db, kiosk.id),
            "help_phone": parts.settings.help_phone,
            "channels": [plain for plain, channel in PLAIN_CHANNELS.items() if channel in parts.till.channels],
            "events_seq": await fetch_events_seq(db, kiosk.id),
        }
    )


@router.post("/events", responses=responses(401, 422, 429), response_model=EventsOut)
async def report_events(kiosk: Kiosk, body: EventsIn, db: Db) -> dict[str, Any]:
    """Report what happened; an event whose number was reported before changes nothing, so a queue may be sent again."""
    events = [Event(seq=one.seq, at=one.at, kind=one.kind, detail=one.detail) for one in body.events]
    stored = await store_events(db, kiosk.id, events, at=real_now())
    return timed(
        {
            "stored": stored,
            "repeated": len(events) - stored,
            "events_seq": await fetch_events_seq(db, kiosk.id),
        }
    )
