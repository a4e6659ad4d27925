"""The gateway as one web application: two providers' protocols, the payer's page, the handles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import InvalidError
from simulator.gateway import control, paying
from simulator.gateway.alipay import routes as alipay
from simulator.gateway.parts import Gateway
from simulator.gateway.telling import Teller
from simulator.gateway.trades import RefusedError
from simulator.gateway.wechat import login
from simulator.gateway.wechat import routes as wechat


def create_app(gateway: Gateway) -> Starlette:
    """The application around an open gateway; it closes the gateway's file when it ends."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        teller = Teller(gateway)
        await teller.start()
        try:
            yield
        finally:
            await teller.stop()
            gateway.book.close()

    app = Starlette(
        routes=[
            Route("/health", _health, methods=["GET"]),
            *wechat.ROUTES,
            *login.ROUTES,
            *alipay.ROUTES,
            *paying.ROUTES,
            *control.ROUTES,
        ],
        exception_handlers={
            RefusedError: control.refused,
            ValidationError: control.refused,
            InvalidError: control.refused,
        },
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    return app


async def _health(request: Request) -> Response:
    return JSONResponse({"simulated": True, "url": Gateway.of(request).url})
