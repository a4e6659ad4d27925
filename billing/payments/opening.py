"""A driver wants to pay: one attempt for each session and channel, for what is due now.

The amount comes from the session alone, never from whoever asks. The attempt is committed before the provider is
called, so nothing that happens afterwards can make an order nobody remembers.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.payments import attempts
from billing.payments.owing import owing_of
from billing.payments.sending import close, fetch, send
from billing.payments.till import Till, real_now
from billing.payments.views import PaymentView, fetch_view
from billing.providers.port import Channel, ProviderRefusedError, ProviderUnavailableError
from billing.standing import Standing, fetch_standing
from core.errors import ConflictError, UnavailableError
from core.money import Fen

log = structlog.get_logger()

USABLE_FOR: Final = timedelta(seconds=60)
"""An order that runs out sooner is replaced rather than shown again."""
ROUNDS: Final = 4
"""Closing what stands in the way may bring money, after which the question is asked anew."""


class NothingDueError(ConflictError):
    """Nothing is to be paid, and no provider is asked to collect nothing. Carries ``session_id``."""

    slug = "nothing-due"


class PaymentsCrossedError(UnavailableError):
    """Other payments of this session kept changing; ask again. Carries ``retry_after_seconds``."""

    slug = "payments-crossed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for."""

    session_id: UUID
    channel: Channel
    provider: str
    payer_id: str | None
    payer_ip: str | None
    return_url: str | None
    device_key_id: int | None
    close_others: bool
    arrear_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do about it, decided under the session's lock."""

    payment_id: UUID | None
    """The attempt to go on with; None: first close what stands in the way."""
    in_the_way: tuple[Row[Any], ...]


async def open_payment(
    till: Till,
    session_id: UUID,
    channel: Channel,
    *,
    payer_id: str | None,
    payer_ip: str | None,
    return_url: str | None,
    device_key_id: int | None = None,
    close_others: bool = False,
    arrear_id: UUID | None = None,
) -> PaymentView:
    """Let somebody pay what a session owes now; an attempt that fits is shown again instead of a second one.

    Args:
        till: see there.
        session_id: whose fee.
        channel: how.
        payer_id: openid, for JSAPI.
        payer_ip: for H5.
        return_url: where a browser goes back to.
        device_key_id: the kiosk, where it is one.
        close_others: attempts through other channels are closed first, so that two codes are not about.
        arrear_id: as whose arrear it is asked for: the payer is then not told which session that is.

    Raises:
        SessionNotFoundError: there is none.
        NothingDueError: it owes nothing.
        ChannelNotOfferedError: see there.
        ProviderRefusedError: the provider makes no such order.
        ProviderUnavailableError: an older attempt could not be closed. (No answer to a new one is no error: the
            payment is ``unknown`` and followed.)
    """
    wish = Wish(
        session_id=session_id,
        channel=channel,
        provider=till.provider_of(channel).name,
        payer_id=payer_id,
        payer_ip=payer_ip,
        return_url=return_url,
        device_key_id=device_key_id,
        close_others=close_others,
        arrear_id=arrear_id,
    )
    given_up: set[UUID] = set()
    for _ in range(ROUNDS):
        async with till.database.transaction() as db:
            plan = await _plan(db, till, wish, given_up)
        if plan.payment_id is not None:
            return await _go_on(till, plan.payment_id)
        for row in plan.in_the_way:
            await _clear_away(till, row, wish, given_up)
    raise PaymentsCrossedError("other payments of this session keep changing; ask again", retry_after_seconds=3)


async def _plan(db: AsyncConnection, till: Till, wish: Wish, given_up: set[UUID]) -> Plan:
    await attempts.lock_session(db, wish.session_id)
    standing = await fetch_standing(db, wish.session_id, till.clock.now())
    due_fen = (await owing_of(db, standing)).due_fen
    active = [row for row in await attempts.list_active(db, wish.session_id) if row.id not in given_up]
    if due_fen == 0:
        raise NothingDueError("nothing is to be paid for this session", session_id=str(wish.session_id))
    usable = next((row for row in active if _fits(row, wish, due_fen)), None)
    in_the_way = tuple(
        row for row in active if row is not usable and (row.channel == wish.channel or wish.close_others)
    )
    if in_the_way:
        return Plan(payment_id=None, in_the_way=in_the_way)
    payment_id = usable.id if usable is not None else await _write(db, standing, wish, due_fen)
    return Plan(payment_id=payment_id, in_the_way=())


def _fits(row: Row[Any], wish: Wish, due_fen: Fen) -> bool:
    return (
        row.channel == wish.channel
        and row.arrear_id == wish.arrear_id
        and row.amount_fen == due_fen
        and row.expires_at - real_now() >= USABLE_FOR
        and row.asked is not None
        and row.asked["payer_id"] == wish.payer_id
    )


async def _write(db: AsyncConnection, standing: Standing, wish: Wish, due_fen: Fen) -> UUID:
    asked = {
        "description": f"停车费 {standing.space_code}" if wish.arrear_id is None else "停车欠费",
        "return_url": wish.return_url,
        "payer_id": wish.payer_id,
        "payer_ip": wish.payer_ip,
    }
    return await attempts.write_intent(
        db,
        standing,
        provider=wish.provider,
        channel=wish.channel,
        amount_fen=due_fen,
        asked=asked,
        device_key_id=wish.device_key_id,
        arrear_id=wish.arrear_id,
        at=real_now(),
    )


async def _go_on(till: Till, payment_id: UUID) -> PaymentView:
    row = await fetch(till, payment_id)
    if row.opened is None and row.asked is not None:
        await send(till, row)
    async with till.database.transaction() as db:
        return await fetch_view(db, payment_id)


async def _clear_away(till: Till, row: Row[Any], wish: Wish, given_up: set[UUID]) -> None:
    """Close an older attempt. One of another channel that cannot be closed now is left to those who poll."""
    try:
        status = await close(till, row)
    except (ProviderUnavailableError, ProviderRefusedError):
        if row.channel == wish.channel:
            raise
        given_up.add(row.id)
        return
    log.info("payment.replaced", payment_id=str(row.id), status=status)
