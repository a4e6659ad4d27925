"""The gateway's own handles, which no provider has: pay by program, read and set the script, set the clock forward."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.clock import rfc3339
from core.errors import InvalidError
from simulator.gateway.faults import Faults, Script
from simulator.gateway.parts import Gateway
from simulator.gateway.trades import RefusedError, Trade, TradeStatus, Why

STATUS: Final = {Why.ABSENT: 404}


class PayIn(BaseModel):
    """How an order is paid."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: int | None = Field(default=None, ge=1)
    """Really collect another amount than was asked; unset: what was asked."""
    coupon_fen: int = Field(default=0, ge=0)
    """Of it, paid by the provider's own coupon."""


class ClockIn(BaseModel):
    """How far the clock is set forward."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: float = Field(ge=0)


async def pay(request: Request) -> Response:
    """Pay an order as its payer would."""
    gateway, trade = Gateway.of(request), named(request)
    body = await request.body()
    wanted = PayIn.model_validate_json(body) if body else PayIn()
    paid = gateway.book.pay(trade, gateway.clock.now(), received_fen=wanted.amount_fen, coupon_fen=wanted.coupon_fen)
    gateway.wake.set()
    return JSONResponse(trade_seen(paid))


async def show_order(request: Request) -> Response:
    """An order with its refunds and notices."""
    gateway, trade = Gateway.of(request), named(request)
    refunds = [
        {"refund_no": one.refund_no, "amount_fen": one.amount_fen, "status": one.status.value}
        for one in gateway.book.refunds_of(trade)
    ]
    notices = [
        {
            "id": one.id,
            "refund_no": one.refund_no,
            "attempts": one.attempts,
            "next_at": _text(one.next_at),
            "acknowledged_at": _text(one.acknowledged_at),
            "answer": one.answer,
        }
        for one in gateway.outbox.of_order(trade.order_no)
        if one.provider == trade.provider
    ]
    return JSONResponse(trade_seen(trade) | {"refunds": refunds, "notices": notices})


async def finish(request: Request) -> Response:
    """Let the time for refunds pass (Alipay)."""
    gateway = Gateway.of(request)
    gateway.book.finish(named(request), gateway.clock.now())
    gateway.wake.set()
    return JSONResponse(trade_seen(named(request)))


async def tell_again(request: Request) -> Response:
    """Send all notices of an order again, acknowledged or not."""
    gateway = Gateway.of(request)
    count = gateway.outbox.again(named(request).order_no, gateway.clock.now())
    gateway.wake.set()
    return JSONResponse({"notices": count})


async def read_script(request: Request) -> Response:
    """The script in force, and which faults have happened."""
    faults = Gateway.of(request).faults
    return JSONResponse({"script": faults.script.model_dump(mode="json"), "met": dict(faults.met)})


async def put_script(request: Request) -> Response:
    """Another script, from its beginning."""
    gateway = Gateway.of(request)
    gateway.faults = Faults(Script.model_validate_json(await request.body()))
    return JSONResponse(gateway.faults.script.model_dump(mode="json"))


async def end_script(request: Request) -> Response:
    """No faults any more."""
    Gateway.of(request).faults = Faults()
    return Response(status_code=204)


async def read_clock(request: Request) -> Response:
    """The gateway's time."""
    return JSONResponse({"now": rfc3339(Gateway.of(request).clock.now())})


async def set_clock(request: Request) -> Response:
    """Let time pass: what falls due meanwhile happens at once."""
    gateway = Gateway.of(request)
    gateway.clock.advance(ClockIn.model_validate_json(await request.body()).advance_seconds)
    gateway.wake.set()
    return JSONResponse({"now": rfc3339(gateway.clock.now())})


async def totals(request: Request) -> Response:
    """What was collected and given back, by provider."""
    return JSONResponse(Gateway.of(request).book.totals())


def named(request: Request) -> Trade:
    """The order in the path, of the provider in the query where both have one of that number.

    Raises:
        RefusedError: ``ABSENT``.
    """
    gateway, order_no = Gateway.of(request), request.path_params["order_no"]
    now, provider = gateway.clock.now(), request.query_params.get("provider")
    match provider:
        case "wechat" | "alipay":
            return gateway.book.fetch(provider, order_no, now)
        case _:
            found = gateway.book.find_by("order_no", order_no, now)
            if found is None:
                raise RefusedError(Why.ABSENT)
            return found


def trade_seen(trade: Trade) -> dict[str, Any]:
    """An order as the handles show it."""
    return {
        "provider": trade.provider,
        "order_no": trade.order_no,
        "product": trade.product,
        "status": trade.status.value,
        "amount_fen": trade.amount_fen,
        "received_fen": trade.received_fen,
        "refunded_fen": trade.refunded_fen,
        "transaction_id": trade.transaction_id,
        "paid_at": _text(trade.paid_at),
        "expires_at": rfc3339(trade.expires_at),
        "scanned": trade.status is not TradeStatus.PREPARED,
    }


async def refused(_request: Request, error: Exception) -> Response:
    """What is asked for cannot be; for the handles, not for the protocols, which have their own words."""
    if isinstance(error, RefusedError):
        return JSONResponse({"refused": error.why.value}, STATUS.get(error.why, 409))
    if isinstance(error, ValidationError):
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        return JSONResponse({"invalid": problems}, 422)
    return JSONResponse({"invalid": [error.message if isinstance(error, InvalidError) else str(error)]}, 422)


def _text(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


ROUTES: Final = [
    Route("/control/pay/{order_no}", pay, methods=["POST"]),
    Route("/control/orders/{order_no}", show_order, methods=["GET"]),
    Route("/control/orders/{order_no}/finish", finish, methods=["POST"]),
    Route("/control/orders/{order_no}/tell-again", tell_again, methods=["POST"]),
    Route("/control/script", read_script, methods=["GET"]),
    Route("/control/script", put_script, methods=["PUT", "POST"]),
    Route("/control/script", end_script, methods=["DELETE"]),
    Route("/control/clock", read_clock, methods=["GET"]),
    Route("/control/clock", set_clock, methods=["POST"]),
    Route("/control/totals", totals, methods=["GET"]),
]
