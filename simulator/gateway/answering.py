"""How a call is answered when a fault befalls it: not at all, too late, or in words that prove nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, get_args

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulator.gateway.faults import CallFault
from simulator.gateway.parts import Gateway

CALL_FAULTS: Final = get_args(CallFault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Bytes for the merchant, with the headers that prove them."""

    status: int
    body: bytes
    media_type: str = "application/json; charset=utf-8"
    seal: dict[str, str] = field(default_factory=dict)


class Cut(Response):
    """The connection ends in the middle of the answer."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Begin, and leave it at that: the server closes the connection."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})


async def answered(
    gateway: Gateway,
    operation: str,
    order_no: str,
    do: Callable[[], Answer],
    spoil: Callable[[Answer, str], Answer] | None = None,
) -> Response:
    """Do what is asked for and answer, or meet the fault that the script has for it.

    Args:
        gateway: with the script in force.
        operation: ``wechat.create``.
        order_no: of the order it is about, or empty.
        do: does it, once, and says what is to be answered.
        spoil: makes an answer ``unsigned``, ``forged`` or ``corrupt``.
    """
    rule = gateway.faults.choose(operation, order_no, among=CALL_FAULTS)
    fault = rule.do if rule else None
    seconds = rule.seconds if rule else 0.0
    if fault in ("stall-before", "delay"):
        await asyncio.sleep(seconds)
    if fault in ("down", "stall-before"):
        return Cut()
    if fault == "error" and rule:
        return Response("<h1>Bad Gateway</h1>", rule.status, media_type="text/html")
    answer = do()
    gateway.wake.set()
    if fault == "stall-after":
        await asyncio.sleep(seconds)
    if fault in ("stall-after", "cut-after"):
        return Cut()
    if fault in ("unsigned", "forged", "corrupt") and spoil:
        answer = spoil(answer, fault)
    return Response(answer.body, answer.status, headers=answer.seal, media_type=answer.media_type)
