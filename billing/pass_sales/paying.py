"""Paying for an ordered pass: one attempt at a time, for the offer's price, written before the provider is asked."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.pass_sales.orders import lock_order
from billing.payments import attempts
from billing.payments.opening import USABLE_FOR, PaymentsCrossedError
from billing.payments.schedule import LIVES
from billing.payments.sending import close, fetch, send
from billing.payments.till import Till, real_now
from billing.payments.views import PaymentView, fetch_view
from billing.providers.port import Channel
from core.errors import ConflictError
from core.money import Fen

ROUNDS: Final = 4


class OrderClosedError(ConflictError):
    """The order is paid, given back, or about to run out. Carries ``status``."""

    slug = "pass-order-closed"


async def open_pass_payment(
    till: Till, order_id: UUID, channel: Channel, *, payer_id: str | None, payer_ip: str | None, return_url: str | None
) -> PaymentView:
    """Let somebody pay for an order; an attempt that fits is shown again, others are closed first.

    Raises:
        OrderNotFoundError: there is none.
        OrderClosedError: it takes no money (any more).
        ChannelNotOfferedError, ProviderRefusedError, ProviderUnavailableError: as for a session.
    """
    provider = till.provider_of(channel).name
    asked = {
        "description": "停车卡",
        "return_url": return_url,
        "payer_id": payer_id,
        "payer_ip": payer_ip,
    }
    for _ in range(ROUNDS):
        async with till.database.transaction() as db:
            payment_id, others = await _plan(db, order_id, provider, channel, asked)
        if payment_id is not None:
            return await _go_on(till, payment_id)
        for row in others:
            await close(till, row)
    raise PaymentsCrossedError("other payments of this order keep changing; ask again", retry_after_seconds=3)


async def _plan(
    db: AsyncConnection, order_id: UUID, provider: str, channel: Channel, asked: dict[str, Any]
) -> tuple[UUID | None, list[Row[Any]]]:
    """The attempt to go on with, or those that are to be closed before there is one."""
    order = await _payable(db, order_id)
    active = await attempts.list_active_for_pass(db, order_id)
    usable = next((row for row in active if _fits(row, channel, asked["payer_id"])), None)
    others = [row for row in active if row is not usable]
    if others:
        return None, others
    if usable is not None:
        return usable.id, []
    amount_fen = Fen(order.price_fen)
    made = await attempts.write_pass_intent(
        db, order_id, provider=provider, channel=channel, amount_fen=amount_fen, asked=asked, at=real_now()
    )
    return made, []


async def _payable(db: AsyncConnection, order_id: UUID) -> Row[Any]:
    await attempts.lock_session(db, order_id)
    order = await lock_order(db, order_id)
    if order.status != "open" or order.expires_at - real_now() < LIVES:
        status = "closed" if order.status == "open" else order.status
        raise OrderClosedError("this order takes no payment any more: make another", status=status)
    return order


def _fits(row: Row[Any], channel: Channel, payer_id: str | None) -> bool:
    lasts = row.expires_at - real_now() >= USABLE_FOR
    return row.channel == channel and lasts and row.asked is not None and row.asked["payer_id"] == payer_id


async def _go_on(till: Till, payment_id: UUID) -> PaymentView:
    row = await fetch(till, payment_id)
    if row.opened is None and row.asked is not None:
        await send(till, row)
    async with till.database.transaction() as db:
        return await fetch_view(db, payment_id)
