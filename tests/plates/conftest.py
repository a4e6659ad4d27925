"""A town whose api takes plates and photos, a warden who is logged in, a camera with its key."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import text

from api.passwords import hash_password
from core.clock import rfc3339
from tests.api.conftest import Api, running
from tests.api.town import Town, built

PLATE_KEY = "a key for plates, at least 32 characters"
PASSWORD = "correct horse"
HEADERS = {"X-Requested-With": "tests"}


@dataclass
class Beat:
    """A street with somebody who walks it."""

    api: Api
    town: Town
    camera_key: str
    photos: Path
    cookies: dict[str, str] = field(default_factory=dict)

    async def login(self, login: str) -> dict[str, str]:
        """What this person's requests carry."""
        if login not in self.cookies:
            path, body = "/api/v1/operator/login", {"login": login, "password": PASSWORD}
            answer = await self.api.client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            self.cookies[login] = answer.headers["set-cookie"].partition(";")[0]
            self.api.client.cookies.clear()
        return {**HEADERS, "Cookie": self.cookies[login]}

    async def attach(
        self, session_id: UUID, plate: str, *, photo: bytes | None = None, login: str = "wang", **words: str
    ) -> httpx.Response:
        """A warden says who stands there, with a form as a phone sends it."""
        form = {"plate": (None, plate), **{name: (None, value) for name, value in words.items()}}
        files: Mapping[str, Any] = form if photo is None else {**form, "photo": ("../../etc/浙D12345.jpg", photo)}
        path = f"/api/v1/operator/sessions/{session_id}/plate"
        return await self.api.client.post(path, files=files, headers=await self.login(login))

    async def sees(self, space: str, plate: str, at: datetime, *, confidence: int = 95, **more: Any) -> httpx.Response:
        """The camera tells what it saw."""
        body = {"space": space, "plate": plate, "observed_at": rfc3339(at), "confidence": confidence, **more}
        headers = {"Authorization": f"Bearer {self.camera_key}"}
        return await self.api.client.post("/api/v1/cameras/events", json=body, headers=headers)

    async def claims(self, session_id: UUID, plate: str) -> httpx.Response:
        """A driver, or somebody else, types a plate."""
        return await self.api.client.post(f"/api/v1/sessions/{session_id}/plate", json={"plate": plate})

    async def asks(self, method: str, path: str, login: str = "wang", **options: Any) -> httpx.Response:
        """Somebody who is logged in asks."""
        headers = await self.login(login)
        return await self.api.client.request(method, f"/api/v1/operator{path}", headers=headers, **options)

    async def plates(self, session_id: UUID) -> dict[str, Any]:
        """All that is said of a session."""
        found: dict[str, Any] = (await self.asks("GET", f"/sessions/{session_id}/plates")).json()
        return found

    async def one(self, statement: str, **values: Any) -> Any:
        """One value, by SQL."""
        async with self.town.database.transaction() as db:
            return (await db.execute(text(statement), values)).scalar()

    async def do(self, statement: str, **values: Any) -> None:
        """Something to the database, by SQL."""
        async with self.town.database.transaction() as db:
            await db.execute(text(statement), values)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        yield town


@pytest.fixture
async def beat(town: Town, tmp_path: Path) -> AsyncIterator[Beat]:
    password = hash_password(PASSWORD)
    for login, role in (("wang", "warden"), ("chen", "operator"), ("li", "finance")):
        await town.operator(login, role, password)
    key = await town.key("camera")
    photos = tmp_path / "photos"
    async with running(town.database.url, plate_key=SecretStr(PLATE_KEY), photo_dir=photos) as api:
        yield Beat(api=api, town=town, camera_key=key, photos=photos)


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 480), **more: Any) -> bytes:
    """A photo's file."""
    file = BytesIO()
    Image.new("RGB", size, "navy").save(file, kind, **more)
    return file.getvalue()
