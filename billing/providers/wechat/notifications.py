"""What WeChat Pay tells us unasked: verified on the raw bytes, opened, and checked to be ours."""

from collections.abc import Mapping
from typing import Any, Final

from billing.providers.line import FRESH_SECONDS
from billing.providers.port import ForgedError, Notification, NotReadableError, OrderState, RefundState
from billing.providers.recent import Recent
from billing.providers.wechat.client import WechatClient
from billing.providers.wechat.merchant import NAME
from billing.providers.wechat.orders import UnreadableAnswerError, order_state, refund_state
from billing.providers.wechat.signing import Seal, SealedError, document_of, unseal

PAYMENT_EVENTS: Final = ("TRANSACTION.",)
REFUND_EVENTS: Final = ("REFUND.",)


class WechatMailbox:
    """Reads notifications for one merchant."""

    def __init__(self, client: WechatClient) -> None:
        self._client = client
        self._recent = Recent(provider=NAME)

    async def read(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """The notification in these bytes.

        Raises:
            ForgedError: its ``why`` is ``unsigned``, ``probe``, ``age``, ``signature``, ``replay`` or ``merchant``.
            NotReadableError: its ``why`` is ``serial`` (even a new list of certificates lacks it), ``sealed`` (with
                another APIv3 key than ours), ``shape`` or ``kind``.
        """
        seal = Seal.find(headers)
        if seal is None:
            raise _forged("unsigned", "without a signature")
        if seal.is_probe:
            raise _forged("probe", "with the provider's own test of a wrong signature")
        now = self._client.now()
        if not seal.is_fresh(now.timestamp(), FRESH_SECONDS):
            raise _forged("age", "too old, or from the future; compare the machine's clock")
        key = await self._client.trust.find(seal.serial, now)
        if key is None:
            raise NotReadableError("WeChat Pay signed with a key we do not know", provider=NAME, why="serial")
        if not seal.fits(key, body):
            raise _forged("signature", "with a wrong signature")
        mark = f"{seal.serial} {seal.timestamp} {seal.nonce}"
        if known := self._recent.find(mark, body, now):
            return known
        notification = self._open(body)
        self._recent.remember(mark, body, notification, now)
        return notification

    def _open(self, body: bytes) -> Notification:
        try:
            envelope = document_of(body)
            content = document_of(unseal(envelope["resource"], self._client.merchant.api_keys))
            key, event = str(envelope["id"]), str(envelope["event_type"])
        except (SealedError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise NotReadableError(
                f"WeChat Pay's notification cannot be opened: {error}", provider=NAME, why="sealed"
            ) from error
        return Notification(key=key, about=self._about(event, content))

    def _about(self, event: str, content: Mapping[str, Any]) -> OrderState | RefundState:
        merchant = self._client.merchant
        if content.get("mchid") != merchant.merchant_id or content.get("appid", merchant.app_id) != merchant.app_id:
            raise _forged("merchant", "meant for another merchant")
        try:
            if event.startswith(PAYMENT_EVENTS):
                return order_state(content, merchant)
            if event.startswith(REFUND_EVENTS):
                return refund_state(content)
        except UnreadableAnswerError as error:
            raise NotReadableError(f"WeChat Pay's notification: {error}", provider=NAME, why="shape") from error
        raise NotReadableError("WeChat Pay sent a notification of a kind we did not ask for", provider=NAME, why="kind")


def _forged(why: str, what: str) -> ForgedError:
    return ForgedError(f"a notification {what}", provider=NAME, why=why)
