"""A small town with a kiosk, whose api takes payments through two strangers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert

from billing.plates import store_plate
from core.plate import parse_plate
from core.tables import PlateEvidence
from core.tokens import space_token
from tests.api.conftest import SECRET
from tests.api.town import Town, built, now
from tests.payments.conftest import Desk, open_desk
from tests.payments.counter import NOON_IN_CHINA


@dataclass
class Kiosk:
    """A kiosk with its key."""

    desk: Desk
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def get(self, path: str) -> httpx.Response:
        return await self.desk.api.client.get(f"/api/v1/kiosk{path}", headers=self.headers)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": uuid4().hex}
        return await self.desk.api.client.post(f"/api/v1/kiosk{path}", json=body, headers=headers)

    async def find(self, **by: str) -> dict[str, Any]:
        answer = await self.post("/find", **by)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def printed(code: str) -> str:
    """What a scanner reads off a space."""
    return f"https://parking.example/s/{code}?k={space_token(SECRET, code)}"


async def seen(
    desk: Desk, session_id: UUID, plate: str, *, source: str = "warden", colour: str | None = "blue", sure: int = 95
) -> None:
    """Somebody says that this plate stands there."""
    vault = desk.api.parts.plates
    assert vault is not None
    async with desk.town.database.transaction() as db:
        plate_id = await store_plate(db, vault, parse_plate(plate), at=now())
        await db.execute(
            insert(PlateEvidence).values(
                session_id=session_id,
                plate_id=plate_id,
                source=source,
                colour=colour if source != "claim" else None,
                confidence_percent=sure if source == "camera" else None,
                observed_at=now(),
                recorded_at=now(),
            )
        )


async def gone(desk: Desk, days_ago: int, code: str = "KA-001", minutes: int = 75) -> UUID:
    """A stay of so many minutes that ended at two in the afternoon in China, so many days ago; not billed yet."""
    left_at: datetime = NOON_IN_CHINA + timedelta(hours=2) - timedelta(days=days_ago - 1)
    return await desk.town.session(code, left_at - timedelta(minutes=minutes), left_at)


async def just_gone(desk: Desk, code: str = "KA-001") -> UUID:
    """A stay of a whole day, which costs something at any hour, that ended twenty minutes ago."""
    left_at, minutes = now() - timedelta(minutes=20), 24 * 60
    return await desk.town.session(code, left_at - timedelta(minutes=minutes), left_at)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        for lot in ("KA", "KB"):
            await town.change_lot(lot, hold_late_minutes=0)  # what is written here is written late
        yield town


@pytest.fixture
async def desk(town: Town) -> AsyncIterator[Desk]:
    async with open_desk(town, help_phone="0575-86000000") as desk:
        yield desk


@pytest.fixture
async def kiosk(desk: Desk) -> Kiosk:
    return Kiosk(desk=desk, key=await desk.town.key("kiosk"))
