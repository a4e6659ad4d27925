"""A payment in JSON, as its routes and its stream of events show it."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.shapes import Shape
from billing.payments.views import PaymentView
from billing.providers.port import Channel
from core.clock import rfc3339
from core.errors import InvalidError

PLAIN_CHANNELS = {"wechat": Channel.WECHAT_NATIVE, "alipay": Channel.ALIPAY_PRECREATE}
"""What a caller means who only names a provider: a code to be scanned."""


class ChannelMissesPayerError(InvalidError):
    """A payment inside WeChat needs to know whose it is. Carries ``channel``."""

    slug = "channel-misses-payer"


class PaymentIn(Shape):
    """How somebody wants to pay. How much is what the session owes: a body that names an amount is refused."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal[
        "wechat",
        "alipay",
        "wechat_native",
        "wechat_jsapi",
        "wechat_h5",
        "alipay_precreate",
        "alipay_wap",
        "alipay_page",
    ] = Field(examples=["wechat"])
    """`wechat` and `alipay` alone mean a code to be scanned; the others, where the payer's browser is."""
    payer_id: str | None = Field(default=None, max_length=128, pattern=r"^[A-Za-z0-9_\-]+$", examples=[None])
    """The payer's openid, for `wechat_jsapi` only."""
    return_path: str | None = Field(
        default=None, max_length=512, pattern=r"^/([A-Za-z0-9._~%?&=:@\-][A-Za-z0-9/._~%?&=:@\-]*)?$", examples=[None]
    )
    """Where on this site a browser goes back to; it proves nothing."""
    close_others: bool = Field(default=False, examples=[False])
    """Close this session's payments through other channels first, so that no second code is about."""

    @property
    def the_channel(self) -> Channel:
        """In full."""
        return PLAIN_CHANNELS.get(self.channel) or Channel(self.channel)

    def refuse_if_incomplete(self) -> None:
        """Check what one field asks of another.

        Raises:
            ChannelMissesPayerError: see there.
        """
        if self.the_channel is Channel.WECHAT_JSAPI and self.payer_id is None:
            raise ChannelMissesPayerError(
                "paying inside WeChat needs payer_id, the payer's openid", channel=self.channel
            )


class PaymentOut(Shape):
    """An attempt to pay, and what became of it."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    session_id: str | None = Field(json_schema_extra={"format": "uuid"})
    provider: str = Field(examples=["wechat"])
    channel: str = Field(examples=["wechat_native"])
    amount_fen: int = Field(examples=[600])
    currency: str = Field(examples=["CNY"])
    status: Literal["pending", "paid", "closed", "failed", "unknown", "refunded"]
    """`unknown`: the provider has not confirmed anything yet; it is asked until it does, and may still say paid."""
    code_url: str | None
    """To be shown as a code and scanned; null once it can no longer be paid."""
    pay_url: str | None
    """To be opened in the browser."""
    bridge: dict[str, str] | None
    """What WeChat's own script needs (`wechat_jsapi`)."""
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    expires_at: str = Field(json_schema_extra={"format": "date-time"})
    """Until then it can be paid."""
    covers_to: str | None = Field(json_schema_extra={"format": "date-time"})
    """Until when the fee was counted."""
    paid_at: str | None = Field(json_schema_extra={"format": "date-time"})
    """By the provider's clock."""
    received_fen: int | None
    refunded_fen: int
    late: bool
    """It was paid after it had been closed."""
    why: str | None
    """Of a failure: the provider's code."""


def payment_object(view: PaymentView) -> dict[str, Any]:
    """The payment in JSON's types."""
    return {
        "id": str(view.id),
        "session_id": str(view.session_id) if view.session_id else None,
        "provider": view.provider,
        "channel": view.channel,
        "amount_fen": view.amount_fen,
        "currency": "CNY",
        "status": str(view.status),
        "code_url": view.code_url,
        "pay_url": view.pay_url,
        "bridge": dict(view.bridge) if view.bridge else None,
        "created_at": rfc3339(view.created_at),
        "expires_at": rfc3339(view.expires_at),
        "covers_to": rfc3339(view.covers_to) if view.covers_to else None,
        "paid_at": rfc3339(view.paid_at) if view.paid_at else None,
        "received_fen": view.received_fen,
        "refunded_fen": view.refunded_fen,
        "late": view.is_late,
        "why": view.why,
    }
