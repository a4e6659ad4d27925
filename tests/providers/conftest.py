"""The simulated gateway as a process, and a merchant's door that takes what it tells."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from billing.providers.configured import build_providers
from billing.providers.port import Notification, PaymentProvider
from core.settings import Settings
from ops.state import free_port
from simulator.gateway.keys import merchant_settings
from tests.support.waiting import until


class _Door(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True, kw_only=True)
class Merchant:
    """A merchant of the gateway: its providers, and what it was told."""

    url: str
    door: str
    folder: Path
    providers: dict[str, PaymentProvider]
    order_no: str = field(default_factory=lambda: f"P{secrets.token_hex(8).upper()}")
    refund_no: str = field(default_factory=lambda: f"R{secrets.token_hex(8).upper()}")
    told: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    http: httpx.AsyncClient

    def notify_url(self, provider: str) -> str:
        return f"{self.door}/notify/{provider}"

    async def control(self, method: str, path: str, **content: Any) -> Any:
        answer = await self.http.request(method, f"{self.url}/control/{path}", json=content or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def pay(self, order_no: str, provider: str, **how: Any) -> None:
        await self.control("POST", f"pay/{order_no}?provider={provider}", **how)

    async def script(self, *rules: dict[str, Any], **more: Any) -> None:
        await self.control("PUT", "script", rules=list(rules), **more)

    async def heard(self, provider: str) -> Notification:
        """The next notification, read by the adapter."""
        headers, body = await self.bytes_from(provider)
        return await self.providers[provider].read_notification(headers, body)

    async def bytes_from(self, provider: str) -> tuple[dict[str, str], bytes]:
        async def next_one() -> tuple[dict[str, str], bytes] | None:
            found = next((each for each in self.told if each[0] == provider), None)
            if found is None:
                return None
            self.told.remove(found)
            return found[1:]

        found = await until(next_one)
        assert found is not None
        return found

    def with_settings(self, **changed: str) -> dict[str, PaymentProvider]:
        """Other providers for the same gateway; the caller closes them."""
        return build_providers(_settings(merchant_settings(self.folder) | changed))


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One for the run: every test has orders of its own."""
    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.gateway", "--folder", str(folder), "--port", str(port)],
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}", folder
    process.terminate()
    process.wait()


@pytest.fixture
async def merchant(gateway: tuple[str, Path]) -> AsyncIterator[Merchant]:
    url, folder = gateway
    client = httpx.AsyncClient(trust_env=False, verify=False)  # noqa: S501 - loopback, without TLS
    async with client as http, _door() as (door, told):
        await until(lambda: _answers(http, url))
        await http.delete(f"{url}/control/script")
        providers = build_providers(_settings(merchant_settings(folder)))
        yield Merchant(url=url, door=door, folder=folder, providers=providers, told=told, http=http)
        for provider in providers.values():
            await provider.aclose()


@asynccontextmanager
async def _door() -> AsyncIterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    told: list[tuple[str, dict[str, str], bytes]] = []

    async def hear(request: Request) -> Response:
        told.append((request.path_params["provider"], dict(request.headers), await request.body()))
        return Response("success", media_type="text/plain")

    app, port = Starlette(routes=[Route("/notify/{provider}", hear, methods=["POST"])]), free_port()
    server = _Door(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{port}", told
    server.should_exit = True
    await serving


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health")).is_success
    except httpx.HTTPError:
        return False


def _settings(variables: dict[str, str]) -> Settings:
    return Settings.model_validate({name.removeprefix("PARKING_").lower(): value for name, value in variables.items()})
