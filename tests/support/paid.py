"""Stays that were paid, written into a small town as the payment flow and the ledger write them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from billing.lines import bill_to_json
from billing.pricing import price_stay
from billing.tariffs_in_force import fetch_tariff_for
from core.stay import Stay
from core.tables import Payment, Refund
from tests.api.town import Town

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def paid_stay(
    town: Town,
    *,
    entered_at: datetime,
    minutes: int,
    space: str = "KA-001",
    payment_id: UUID | None = None,
    provider: str = "wechat",
    **values: Any,
) -> UUID:
    """A stay whose fee up to so many minutes was asked for and paid; the payment's id."""
    covers_to = entered_at + timedelta(minutes=minutes)
    session_id = values.pop("session_id", None) or await town.session(space, entered_at, values.pop("left_at", None))
    async with town.database.transaction() as db:
        stay = Stay(entered_at=entered_at, left_at=covers_to)
        version_id, tariff = await fetch_tariff_for(db, "xinchang-kerb", stay)
        bill = price_stay(tariff, stay, zone=SHANGHAI)
        number = uuid4().hex.upper()
        row = {
            "id": payment_id or uuid4(),
            "purpose": "stay",
            "session_id": session_id,
            "order_no": f"P{number[:20]}",
            "provider": provider,
            "channel": f"{provider}_{'native' if provider == 'wechat' else 'precreate'}",
            "amount_fen": bill.total_fen,
            "tariff_version_id": version_id,
            "quote": bill_to_json(bill),
            "covers_to": covers_to,
            "status": "paid",
            "transaction_id": f"42000{number[:20]}",
            "received_fen": bill.total_fen,
            "paid_at": covers_to + timedelta(seconds=20),
            "created_at": covers_to,
            "changed_at": covers_to + timedelta(seconds=21),
            "expires_at": covers_to + timedelta(minutes=15),
            **values,
        }
        if row["status"] != "paid":
            row.update(transaction_id=None, received_fen=None, paid_at=None)
        await db.execute(insert(Payment).values(row))
    made: UUID = row["id"]
    return made


async def refund(town: Town, payment_id: UUID, amount_fen: int, *, status: str, at: datetime) -> str:
    """Money of it that goes back."""
    number = f"R{uuid4().hex.upper()[:20]}"
    async with town.database.transaction() as db:
        row = {
            "payment_id": payment_id,
            "refund_no": number,
            "amount_fen": amount_fen,
            "cause": "operator",
            "reason": "a test",
            "requested_by": "operator:li",
            "status": status,
            "created_at": at,
            "changed_at": at,
        }
        await db.execute(insert(Refund).values(row))
    return number
