"""For payment kiosks: every answer carries the server's time, because theirs may be wrong."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.deps import Now
from api.door import Device, device
from api.problems import responses
from api.shapes import Shape
from core.clock import rfc3339

router = APIRouter(prefix="/api/v1/kiosk", tags=["kiosk"])


class KioskOut(Shape):
    """Who the server takes the caller for."""

    name: str = Field(examples=["New Century Square, east"])
    server_time: str = Field(json_schema_extra={"format": "date-time"})


@router.get("/me", responses=responses(401, 429))
async def read_kiosk(kiosk: Annotated[Device, device("kiosk")], now: Now) -> KioskOut:
    """Whether this kiosk's key is good, and what time it is."""
    return KioskOut(name=kiosk.name, server_time=rfc3339(now))
