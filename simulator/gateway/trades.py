"""What a provider knows of a payment: the trade, its refunds, and what it owes the merchant to say. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

ProviderName = Literal["wechat", "alipay"]
SealedBy = Literal["certificate", "public_key"]
"""With which of its keys WeChat Pay signs what it says about an order: the kind the merchant uses."""


class TradeStatus(StrEnum):
    """What became of a trade, in the gateway's words."""

    PREPARED = "prepared"
    """Alipay alone: a code nobody scanned yet, of which a query knows nothing."""
    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"


class GivenBack(StrEnum):
    """What became of a refund, in the gateway's words."""

    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    ABNORMAL = "abnormal"


class Why(StrEnum):
    """Why something asked for is not done; each protocol has its own code for it."""

    ABSENT = "absent"
    ALREADY_PAID = "already-paid"
    CLOSED = "closed"
    NUMBER_USED = "number-used"
    """The same number with other content."""
    NOT_PAID = "not-paid"
    TOO_MUCH = "too-much"
    TOO_MANY = "too-many"
    TOO_LATE = "too-late"
    REFUND_ABSENT = "refund-absent"


class RefusedError(Exception):
    """A provider's no."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


MOST_REFUNDS: Final = 50
"""Partial refunds of one order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An order as a merchant asks for it."""

    provider: ProviderName
    order_no: str
    product: str
    """``native``, ``jsapi``, ``h5``; ``precreate``, ``wap``, ``page``."""
    amount_fen: int
    description: str
    notify_url: str
    return_url: str | None
    expires_at: datetime
    fingerprint: str
    """Of all that was asked: the same number with another one is refused."""
    sealed_by: SealedBy = "public_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A trade as it stands."""

    provider: ProviderName
    order_no: str
    product: str
    amount_fen: int
    description: str
    notify_url: str
    return_url: str | None
    expires_at: datetime
    fingerprint: str
    sealed_by: SealedBy
    status: TradeStatus
    created_at: datetime
    token: str
    """Of the prepared payment: ``prepay_id``."""
    transaction_id: str | None
    received_fen: int | None
    """What was really collected; another amount than asked only when a script wants it so."""
    coupon_fen: int
    """Of it, paid by the provider's own coupon."""
    paid_at: datetime | None
    finished: bool
    """Past the time in which it could be given back (Alipay)."""
    refunded_fen: int
    """Given back or on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund as it stands."""

    provider: ProviderName
    order_no: str
    refund_no: str
    refund_id: str
    amount_fen: int
    reason: str
    notify_url: str | None
    status: GivenBack
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the merchant is told until he acknowledges it; its id stays the same."""

    id: str
    provider: ProviderName
    order_no: str
    refund_no: str | None
    """None: of the payment."""
    refunded_fen: int
    """Of the order, in all, when this was to be told."""
    url: str
    created_at: datetime
    attempts: int
    next_at: datetime | None
    """None: acknowledged, or given up."""
    acknowledged_at: datetime | None
    answer: str | None
    """What the merchant said last."""


def fee_of(amount_fen: int) -> int:
    """What the provider keeps, in thousandths of a fen: 0.6 %, the usual rate of both."""
    return amount_fen * 6
