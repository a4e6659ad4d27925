"""A payment provider that keeps its orders in memory and does what a test tells it: a stranger behind the port."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from billing.providers.port import (
    Acknowledgement,
    BillNotReadyError,
    Channel,
    ForgedError,
    Notification,
    NotReadableError,
    Opened,
    Order,
    OrderState,
    OrderStatus,
    ProviderBill,
    ProviderRefusedError,
    ProviderUnavailableError,
    RefundOrder,
    RefundState,
    RefundStatus,
)
from core.money import Fen

KEY = b"what the stranger signs with"


@dataclass
class Stranger:
    """One provider; ``trouble`` says what goes wrong next, by the call's name."""

    name: str
    orders: dict[str, Order] = field(default_factory=dict)
    states: dict[str, OrderState] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    bills: dict[date, ProviderBill] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    trouble: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """``down``: no answer, nothing done; ``silent``: done, but no answer; ``no``: refused."""
    is_slow_by_seconds: float = 0
    refunds_end_as: RefundStatus = RefundStatus.SUCCEEDED

    @property
    def channels(self) -> frozenset[Channel]:
        return frozenset(channel for channel in Channel if channel.startswith(self.name))

    def _meet(self, call: str, number: str) -> bool:
        """Note a call and fail it if told to; True: do it, but do not answer."""
        self.calls.append((call, number))
        match self.trouble[call].pop(0) if self.trouble[call] else "":
            case "down":
                raise ProviderUnavailableError("no answer", provider=self.name)
            case "no":
                raise ProviderRefusedError("no", provider=self.name, code="NO_AUTH")
            case "silent":
                return True
            case _:
                return False

    def _silent(self) -> ProviderUnavailableError:
        return ProviderUnavailableError("no answer in time", provider=self.name)

    async def create(self, order: Order) -> Opened:
        is_silent = self._meet("create", order.order_no)
        await asyncio.sleep(self.is_slow_by_seconds)
        known = self.orders.get(order.order_no)
        if known is not None and known != order:
            raise ProviderRefusedError("other parameters", provider=self.name, code="OUT_TRADE_NO_USED")
        if known is None:
            self.orders[order.order_no] = order
            self.states[order.order_no] = OrderState(order_no=order.order_no, status=OrderStatus.PENDING)
        if is_silent:
            raise self._silent()
        return Opened(code_url=f"https://stranger.test/{order.order_no}")

    async def query(self, order_no: str) -> OrderState:
        self._meet("query", order_no)
        return self.states.get(order_no) or OrderState(order_no=order_no, status=OrderStatus.NOT_FOUND)

    async def close(self, order_no: str) -> OrderState:
        is_silent = self._meet("close", order_no)
        state = self.states.get(order_no) or OrderState(order_no=order_no, status=OrderStatus.NOT_FOUND)
        if state.status is OrderStatus.PENDING:
            state = self.states[order_no] = replace(state, status=OrderStatus.CLOSED)
        if is_silent:
            raise self._silent()
        return replace(state, transaction_id=None)

    async def refund(self, order: RefundOrder) -> RefundState:
        is_silent = self._meet("refund", order.refund_no)
        await asyncio.sleep(self.is_slow_by_seconds)
        self.refunds.setdefault(
            order.refund_no,
            RefundState(
                order_no=order.order_no,
                refund_no=order.refund_no,
                status=self.refunds_end_as,
                amount_fen=order.amount_fen,
                refund_id=f"50{uuid4().hex[:20]}",
            ),
        )
        if is_silent:
            raise self._silent()
        return replace(self.refunds[order.refund_no], status=RefundStatus.ACCEPTED)

    async def query_refund(self, order_no: str, refund_no: str) -> RefundState:
        self._meet("query_refund", refund_no)
        missing = RefundState(order_no=order_no, refund_no=refund_no, status=RefundStatus.NOT_FOUND)
        return self.refunds.get(refund_no, missing)

    async def fetch_bill(self, day: date) -> ProviderBill:
        self._meet("fetch_bill", day.isoformat())
        if day not in self.bills:
            raise BillNotReadyError(f"no bill of {day}")
        return self.bills[day]

    async def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        if headers.get("x-signature") != signature(body):
            raise ForgedError("the signature is wrong", provider=self.name)
        said = json.loads(body)
        if said.get("merchant") != "us":
            raise ForgedError("meant for another merchant", provider=self.name)
        if said.get("sealed"):
            raise NotReadableError("our key does not open it", provider=self.name)
        about = said["about"]
        if "refund_no" in about:
            return Notification(key=said["key"], about=RefundState(**about | {"status": RefundStatus(about["status"])}))
        about |= {"status": OrderStatus(about["status"]), "paid_at": datetime.now(UTC)}
        return Notification(key=said["key"], about=OrderState(**about))

    def acknowledge(self, *, taken: bool) -> Acknowledgement:
        return Acknowledgement(status=200 if taken else 500, body=b"OK" if taken else b"", media_type="text/plain")

    async def aclose(self) -> None:
        """Nothing is open."""

    def pay(self, order_no: str, *, amount_fen: int | None = None, currency: str = "CNY") -> OrderState:
        """The payer pays; nobody is told yet."""
        state = OrderState(
            order_no=order_no,
            status=OrderStatus.PAID,
            transaction_id=f"42{uuid4().hex[:24]}",
            total_fen=self.orders[order_no].amount_fen if amount_fen is None else Fen(amount_fen),
            currency=currency,
            paid_at=datetime.now(UTC),
        )
        self.states[order_no] = state
        return state

    def notification(
        self, about: OrderState | RefundState, *, key: str = "", **more: Any
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body that say so."""
        facts = {name: getattr(about, name) for name in about.__dataclass_fields__ if name != "paid_at"}
        body = json.dumps({"key": key or uuid4().hex, "merchant": "us", "about": facts, **more}).encode()
        return {"x-signature": signature(body), "content-type": "application/json"}, body


def signature(body: bytes) -> str:
    """What the stranger signs a body with."""
    return hashlib.sha256(KEY + body).hexdigest()
