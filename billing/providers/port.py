"""What every payment provider can do for us, in our words: its shapes, its errors and one protocol. Pure.

An adapter never decides about money: it says what the provider says, verified, or raises. Amounts are integer fen here,
whatever the provider's own format is; instants are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from core.errors import ConflictError, DeniedError, ParkingError, UnavailableError
from core.money import Fen


class Channel(StrEnum):
    """How the payer is reached."""

    WECHAT_NATIVE = "wechat_native"
    """A code to be scanned with WeChat: kiosks and desktops."""
    WECHAT_JSAPI = "wechat_jsapi"
    """Inside WeChat; needs the payer's openid."""
    WECHAT_H5 = "wechat_h5"
    """From another browser of a phone into WeChat."""
    ALIPAY_PRECREATE = "alipay_precreate"
    """A code to be scanned with Alipay: kiosks and desktops."""
    ALIPAY_WAP = "alipay_wap"
    """From a phone's browser, or inside Alipay."""
    ALIPAY_PAGE = "alipay_page"
    """A desktop's browser, by logging in."""


class OrderStatus(StrEnum):
    """What became of an order, as the provider says."""

    NOT_FOUND = "not_found"
    PENDING = "pending"
    """Not paid yet; the payer may just be typing a password."""
    PAID = "paid"
    CLOSED = "closed"
    """Can no longer be paid, and never was."""
    FAILED = "failed"
    REFUNDED = "refunded"
    """Was paid; some or all of it went back."""


class RefundStatus(StrEnum):
    """What became of a refund, as the provider says."""

    NOT_FOUND = "not_found"
    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABNORMAL = "abnormal"
    """The money could not be given back that way: a person has to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What we ask a provider to collect."""

    order_no: str
    """Ours, 6 to 32 letters and digits, unique for ever; the same number with the same order may be sent again."""
    channel: Channel
    amount_fen: Fen
    description: str
    notify_url: str
    """https in production, without a query string."""
    return_url: str | None
    """Where a browser goes back to; proves nothing."""
    expires_at: datetime
    payer_id: str | None
    """openid, for JSAPI."""
    payer_ip: str | None
    """For H5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the payer needs to pay an order that now exists."""

    code_url: str | None = None
    """To be shown as a code and scanned."""
    pay_url: str | None = None
    """To be opened in the browser."""
    bridge: Mapping[str, str] | None = None
    """The signed parameters that WeChat's own script asks for (JSAPI)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """An order as the provider knows it."""

    order_no: str
    status: OrderStatus
    transaction_id: str | None = None
    """The provider's own number of the payment; there whenever it was paid."""
    total_fen: Fen | None = None
    """What the order was for; part of it may have been paid by a coupon of the provider."""
    currency: str = "CNY"
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """What we ask a provider to give back."""

    order_no: str
    refund_no: str
    """Ours; the same number is refunded once, however often it is sent."""
    amount_fen: Fen
    total_fen: Fen
    """Of the whole payment."""
    reason: str
    notify_url: str
    currency: str = "CNY"
    """Of both amounts, whose smallest unit they count."""
    transaction_id: str | None = None
    """Which payment, of an order that was paid more than once; None: it was paid once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundState:
    """A refund as the provider knows it."""

    order_no: str
    refund_no: str
    status: RefundStatus
    amount_fen: Fen | None = None
    refund_id: str | None = None
    """The provider's own number."""
    why: str | None = None
    """The provider's code, where it could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a provider told us unasked; its signature, its age and for whom it is have been checked."""

    key: str
    """The same on each repetition of the same notification."""
    about: OrderState | RefundState


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What the provider wants to hear in return."""

    status: int
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One payment or refund on the provider's bill of a day."""

    order_no: str
    transaction_id: str
    refund_no: str | None
    """None: a payment."""
    amount_fen: Fen
    """Above 0, of a refund too."""
    fee_fen: Fen
    """What the provider keeps; below 0 where a refund gives it back."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBill:
    """All that a provider collected and gave back on one day of its own calendar, its sums verified."""

    day: date
    lines: tuple[BillLine, ...]


class ProviderUnavailableError(UnavailableError):
    """No answer, or one that proves nothing: whether the provider did it is unknown. Carries ``provider``."""

    slug = "provider-unavailable"


class ProviderRefusedError(ConflictError):
    """A signed, final no. Carries ``provider`` and its ``code``."""

    slug = "provider-refused"


class ForgedError(DeniedError):
    """The signature is wrong, too old or replayed, or it is meant for another merchant: a 4xx, never an effect."""

    slug = "forged"


class NotReadableError(ParkingError):
    """Perhaps genuine, but we cannot read it (key, certificate): our fault, to be sent again, with an alarm."""

    slug = "not-readable"


class BillNotReadyError(UnavailableError):
    """The day's bill is not made yet, or arrived cut short: nothing of it is used."""

    slug = "bill-not-ready"


class PaymentProvider(Protocol):
    """One provider with its keys. Calls raise ``ProviderUnavailableError`` (unknown) or ``ProviderRefusedError``."""

    @property
    def name(self) -> str:
        """``wechat`` or ``alipay``: as in ``/api/v1/notify/{provider}`` and in the journal's accounts."""
        ...

    @property
    def channels(self) -> frozenset[Channel]:
        """Those this merchant may use."""
        ...

    async def create(self, order: Order) -> Opened:
        """Make the order, or find that it exists already."""
        ...

    async def query(self, order_no: str) -> OrderState:
        """What became of it; ``NOT_FOUND`` where the provider never heard of it."""
        ...

    async def close(self, order_no: str) -> OrderState:
        """Make it unpayable; ``PAID`` where that came too late."""
        ...

    async def refund(self, order: RefundOrder) -> RefundState:
        """Give back; accepted is not yet succeeded."""
        ...

    async def query_refund(self, order_no: str, refund_no: str) -> RefundState:
        """What became of it."""
        ...

    async def fetch_bill(self, day: date) -> ProviderBill:
        """The day's bill, whole or not at all.

        Raises:
            BillNotReadyError: it is not made yet, or cannot be trusted.
        """
        ...

    async def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Verify the raw bytes, decrypt, and check that it is for us.

        Raises:
            ForgedError: see there.
            NotReadableError: see there.
        """
        ...

    def acknowledge(self, *, taken: bool) -> Acknowledgement:
        """What to answer once the notification is committed, or could not be."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...
