"""The rows of attempts: written before the provider is called, moved along legal steps only."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.lines import bill_to_json
from billing.payments.schedule import LIVES, next_poll
from billing.payments.states import ACTIVE, PaymentStatus, sources_of
from billing.payments.views import announce
from billing.providers.port import Channel, Opened, Order
from billing.standing import Standing
from core.money import Fen
from core.tables import Payment

ORDER_NO_BYTES = 12


async def lock_session(db: AsyncConnection, session_id: UUID) -> None:
    """Let no other process open a payment for this session until the transaction ends."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"payment:{session_id}", 0))))


async def list_active(db: AsyncConnection, session_id: UUID) -> list[Row[Any]]:
    """The attempts of a session that may still bring money, oldest first."""
    query = select(Payment.__table__).where(Payment.session_id == session_id, Payment.status.in_(sorted(ACTIVE)))
    return list((await db.execute(query.order_by(Payment.created_at, Payment.id))).all())


async def list_active_for_pass(db: AsyncConnection, order_id: UUID) -> list[Row[Any]]:
    """The attempts to pay for a pass that may still bring money, oldest first."""
    query = select(Payment.__table__).where(Payment.pass_order_id == order_id, Payment.status.in_(sorted(ACTIVE)))
    return list((await db.execute(query.order_by(Payment.created_at, Payment.id))).all())


async def write_intent(
    db: AsyncConnection,
    standing: Standing,
    *,
    provider: str,
    channel: Channel,
    amount_fen: Fen,
    asked: dict[str, Any],
    device_key_id: int | None,
    arrear_id: UUID | None,
    at: datetime,
) -> UUID:
    """The attempt, before anybody is asked; ``at`` in real time. One for an arrear shows nobody a quote."""
    bill = standing.bill if arrear_id is None else None
    what = {
        "purpose": "stay" if arrear_id is None else "arrear",
        "arrear_id": arrear_id,
        "session_id": standing.session_id,
        "tariff_version_id": standing.tariff_version_id,
        "quote": {**bill_to_json(bill), "exit_window_minutes": standing.exit_window_minutes} if bill else None,
        "covers_to": standing.counted_to if arrear_id is None else None,
        "device_key_id": device_key_id,
    }
    return await _write(db, what, provider=provider, channel=channel, amount_fen=amount_fen, asked=asked, at=at)


async def write_pass_intent(
    db: AsyncConnection,
    order_id: UUID,
    *,
    provider: str,
    channel: Channel,
    amount_fen: Fen,
    asked: dict[str, Any],
    at: datetime,
) -> UUID:
    """The attempt to pay for a pass, likewise."""
    what = {"purpose": "pass", "pass_order_id": order_id}
    return await _write(db, what, provider=provider, channel=channel, amount_fen=amount_fen, asked=asked, at=at)


async def _write(
    db: AsyncConnection,
    what: dict[str, Any],
    *,
    provider: str,
    channel: Channel,
    amount_fen: Fen,
    asked: dict[str, Any],
    at: datetime,
) -> UUID:
    row = insert(Payment).values(
        **what,
        order_no=f"P{secrets.token_hex(ORDER_NO_BYTES).upper()}",
        provider=provider,
        channel=channel,
        amount_fen=amount_fen,
        status=PaymentStatus.CREATED,
        asked=asked,
        created_at=at,
        changed_at=at,
        expires_at=at + LIVES,
        poll_at=next_poll(at, at + LIVES, at),
    )
    payment_id: UUID = (await db.execute(row.returning(Payment.id))).scalar_one()
    await announce(db, payment_id)
    return payment_id


async def fetch_attempt(db: AsyncConnection, payment_id: UUID) -> Row[Any]:
    """One attempt, whole."""
    return (await db.execute(select(Payment.__table__).where(Payment.id == payment_id))).one()


async def find_attempt(db: AsyncConnection, provider: str, order_no: str) -> Row[Any] | None:
    """The attempt of this number, if it is this provider's."""
    query = select(Payment.__table__).where(Payment.provider == provider, Payment.order_no == order_no)
    return (await db.execute(query)).first()


async def move(
    db: AsyncConnection, payment_id: UUID, after: PaymentStatus, *, at: datetime, why: str | None = None
) -> bool:
    """Take a legal step; False, and nothing done, where the payment is elsewhere by now. Not for booking money."""
    values: dict[str, Any] = {"status": after, "changed_at": at}
    if why is not None:
        values["why"] = why
    if after not in ACTIVE:
        values |= {"poll_at": None, "asked": None}
    step = update(Payment).where(Payment.id == payment_id, Payment.status.in_(sources_of(after))).values(values)
    if (await db.execute(step)).rowcount == 0:
        return False
    await announce(db, payment_id)
    return True


async def store_opened(db: AsyncConnection, payment_id: UUID, opened: Opened, *, at: datetime) -> None:
    """What the payer needs; merged into the row whatever became of the payment meanwhile."""
    values = {
        "code_url": opened.code_url,
        "pay_url": opened.pay_url,
        "bridge": dict(opened.bridge) if opened.bridge else None,
    }
    await db.execute(update(Payment).where(Payment.id == payment_id).values(opened=values))
    if not await move(db, payment_id, PaymentStatus.SENT, at=at):
        await announce(db, payment_id)


async def forget_what_was_asked(db: AsyncConnection, payment_id: UUID) -> None:
    """Of a payment that is final: no more questions, and no more of the payer than the money."""
    final = Payment.status.not_in(sorted(ACTIVE))
    await db.execute(update(Payment).where(Payment.id == payment_id, final).values(asked=None, poll_at=None))


def order_of(row: Row[Any], *, notify_url: str) -> Order:
    """The order of an attempt, the same to the letter each time; ``asked`` must be there still."""
    return Order(
        order_no=row.order_no,
        channel=Channel(row.channel),
        amount_fen=Fen(row.amount_fen),
        description=row.asked["description"],
        notify_url=notify_url,
        return_url=row.asked["return_url"],
        expires_at=row.expires_at,
        payer_id=row.asked["payer_id"],
        payer_ip=row.asked["payer_ip"],
    )
