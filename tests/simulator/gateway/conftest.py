"""The gateway over HTTP, as a process where it is killed, and a merchant's address that hears what it is told."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn
import wechatpayv3.core  # type: ignore[import-untyped]  # the SDK has no types
from alipay import AliPay  # type: ignore[import-untyped]  # the SDK has no types
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from wechatpayv3 import WeChatPay, WeChatPayType

from ops.state import free_port
from simulator.gateway.alipay.documents import written
from simulator.gateway.app import create_app
from simulator.gateway.clock import real_now
from simulator.gateway.keys import Keys, merchant_settings, prepare, read_keys
from simulator.gateway.parts import Gateway
from simulator.gateway.trades import SealedBy
from tests.support.waiting import until


@contextmanager
def _addressed_to(url: str) -> Iterator[None]:
    """The SDK writes its host down; here it is made with another one."""

    class Core(wechatpayv3.core.Core):  # type: ignore[misc]  # the SDK has no types
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, url if name == "_gate_way" else value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wechatpayv3.core, "Core", Core)
        yield


class _AliPay(AliPay):  # type: ignore[misc]  # as above
    """The SDK dates its calls by the machine's own zone, and Alipay reads them as Shanghai's."""

    def build_body(self, *values: Any, **more: Any) -> dict[str, Any]:
        return {**super().build_body(*values, **more), "timestamp": written(real_now())}


@dataclass(slots=True, kw_only=True)
class Running:
    """A gateway in a folder; started again it goes on where it was."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> Keys:
        return read_keys(self.folder)

    async def start(self) -> None:
        command = [sys.executable, "-m", "simulator.gateway", "--folder", str(self.folder), "--port", str(self.port)]
        self.process = await asyncio.to_thread(subprocess.Popen, command, stderr=subprocess.DEVNULL)
        await until(self.is_up)

    async def is_up(self) -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{self.url}/health")).is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def control(self, method: str, path: str, **body: Any) -> Any:
        async with httpx.AsyncClient(base_url=f"{self.url}/control") as client:
            answer = await client.request(method, path, json=body or None)
        return answer.json() if answer.content else None

    async def script(self, *rules: dict[str, Any], **more: Any) -> None:
        await self.control("PUT", "/script", rules=list(rules), **more)

    async def pay(self, order_no: str, **how: Any) -> dict[str, Any]:
        paid: dict[str, Any] = await self.control("POST", f"/pay/{order_no}", **how)
        return paid

    async def order(self, order_no: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.control("GET", f"/orders/{order_no}")
        return found

    def wechat(self, sealed_by: SealedBy = "public_key") -> WeChatPay:
        """The public SDK as the merchant, pointed at this gateway."""
        found = merchant_settings(self.folder, sealed_by=sealed_by)
        own = {
            "mchid": found["PARKING_WECHAT_MERCHANT_ID"],
            "private_key": found["PARKING_WECHAT_PRIVATE_KEY"],
            "cert_serial_no": found["PARKING_WECHAT_SERIAL"],
            "apiv3_key": found["PARKING_WECHAT_API_KEY"],
            "appid": found["PARKING_WECHAT_APP_ID"],
        }
        with _addressed_to(self.url):
            return WeChatPay(
                wechatpay_type=WeChatPayType.NATIVE,
                public_key=found.get("PARKING_WECHAT_PUBLIC_KEY"),
                public_key_id=found.get("PARKING_WECHAT_PUBLIC_KEY_ID"),
                **own,
            )

    def alipay(self) -> AliPay:
        """The public SDK as the merchant, pointed at this gateway."""
        found = merchant_settings(self.folder)
        sdk = _AliPay(
            appid=found["PARKING_ALIPAY_APP_ID"],
            app_private_key_string=found["PARKING_ALIPAY_PRIVATE_KEY"],
            alipay_public_key_string=found["PARKING_ALIPAY_PUBLIC_KEY"],
        )
        sdk._gateway = found["PARKING_ALIPAY_API_URL"]  # noqa: SLF001 - the SDK offers no other way
        return sdk


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One call at the merchant's address."""

    provider: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(slots=True, kw_only=True)
class Merchant:
    """An address that hears everything and acknowledges it unless told otherwise."""

    port: int
    heard: list[Heard] = field(default_factory=list)
    takes: bool = True

    def url(self, provider: str) -> str:
        return f"http://127.0.0.1:{self.port}/notify/{provider}"

    async def hear(self, request: Request) -> Response:
        provider = request.path_params["provider"]
        self.heard.append(Heard(provider=provider, headers=dict(request.headers), body=await request.body()))
        return PlainTextResponse("success" if self.takes else "fail", 200 if self.takes else 500)

    async def until_heard(self, count: int) -> list[Heard]:
        async def enough() -> bool:
            return len(self.heard) >= count

        await until(enough)
        return self.heard


class _Server(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _serving(app: Starlette, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=1)
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    await until(partial(_has_started, server))
    yield
    server.should_exit = True
    await serving


async def _has_started(server: uvicorn.Server) -> bool:
    return server.started


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys are made once: they take longer than everything else here."""
    folder = tmp_path_factory.mktemp("gateway")
    prepare(folder, "http://127.0.0.1")
    return folder


@pytest.fixture
def idle(tmp_path: Path, keys_folder: Path) -> Running:
    running = Running(folder=tmp_path / "gateway", port=free_port())
    shutil.copytree(keys_folder, running.folder)
    return running


@pytest.fixture
async def gateway(idle: Running) -> AsyncIterator[Running]:
    """Served beside the test, over HTTP all the same."""
    async with _serving(create_app(Gateway.open(idle.folder, idle.url)), idle.port):
        yield idle


@pytest.fixture
async def killable(idle: Running) -> AsyncIterator[Running]:
    """A process of its own."""
    await idle.start()
    yield idle
    idle.kill()


@pytest.fixture
async def merchant() -> AsyncIterator[Merchant]:
    merchant = Merchant(port=free_port())
    app = Starlette(routes=[Route("/notify/{provider}", merchant.hear, methods=["POST"])])
    async with _serving(app, merchant.port):
        yield merchant
