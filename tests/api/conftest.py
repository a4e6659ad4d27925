"""A running api over a small town: real uvicorn, real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from api.parts import Parts
from api.serving import Server
from core.settings import Settings
from tests.api.town import Town, built
from tests.support.waiting import PATIENCE_SECONDS, until

SECRET = "a key of tests, at least 32 characters long"


class QuietServer(Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Viewer:
    """Reads the live stream event by event."""

    lines: AsyncIterator[str]
    comments: int = 0
    last_id: str | None = None

    async def event(self, within: float = PATIENCE_SECONDS) -> tuple[str, dict[str, Any]]:
        """The next event: its name and its data."""
        name, data = "", {}
        async with asyncio.timeout(within):
            async for line in self.lines:
                key, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif key == "id":
                    self.last_id = value
                elif key == "event":
                    name = value
                elif key == "data":
                    data = msgspec.json.decode(value)
                elif not line and name:
                    return name, data
        raise AssertionError("the stream has ended")


@dataclass
class Api:
    """One running api process's worth, in this process."""

    app: FastAPI
    url: str
    keys: dict[str, str] = field(default_factory=dict)
    """Device keys by kind, where a test has made some."""
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_SECONDS)

    @property
    def parts(self) -> Parts:
        return Parts.of(self.app)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, **options)

    async def json(self, path: str, **options: Any) -> Any:
        """The body of a good answer."""
        answer = await self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def lot(self, code: str) -> dict[str, Any]:
        """One lot's properties as `/lots` has them."""
        features = (await self.json("/api/v1/lots"))["features"]
        found: dict[str, Any] = next(one["properties"] for one in features if one["properties"]["code"] == code)
        return found

    async def states(self) -> str:
        """The letters of all spaces."""
        letters: str = (await self.json("/api/v1/spaces/state"))["states"]
        return letters

    async def until_states(self, wanted: str) -> None:
        """Wait for the letters."""

        async def states_as_wanted() -> bool:
            return await self.states() == wanted

        try:
            await until(states_as_wanted)
        except AssertionError:
            raise AssertionError(f"the states are {await self.states()}, not {wanted}") from None

    async def until_lot(self, code: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a lot is as wanted; the lot."""

        async def lot_as_wanted() -> dict[str, Any] | None:
            lot = await self.lot(code)
            return lot if wanted(lot) else None

        lot = await until(lot_as_wanted)
        assert lot is not None
        return lot

    @asynccontextmanager
    async def watching(self, last_event_id: str | None = None) -> AsyncIterator[Viewer]:
        """A viewer of the live stream."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        async with self.client.stream("GET", "/api/v1/live", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Viewer(lines=answer.aiter_lines())


@asynccontextmanager
async def running(url: str, prepare: Callable[[FastAPI], None] = lambda _: None, **settings: Any) -> AsyncIterator[Api]:
    """The api over this database, on a free port, once it has read the city."""
    app = create_app(Settings(database_url=SecretStr(url), secret_key=SecretStr(SECRET), port=0, **settings))
    prepare(app)
    server = QuietServer(app, host="127.0.0.1", port=0)
    serving = asyncio.create_task(server.serve())
    await until(lambda: _ready(server, app))
    port = server.servers[0].sockets[0].getsockname()[1]
    api = Api(app=app, url=f"http://127.0.0.1:{port}")
    try:
        yield api
    finally:
        await api.client.aclose()
        server.should_exit = True
        await serving


async def _ready(server: Server, app: FastAPI) -> bool:
    return server.started and Parts.of(app).following.age_seconds != float("inf")


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        yield town


@pytest.fixture
async def api(town: Town) -> AsyncIterator[Api]:
    async with running(town.database.url) as api:
        yield api
