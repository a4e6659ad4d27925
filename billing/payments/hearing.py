"""A provider's notification: verified, committed, and only then acknowledged.

Nothing about it is believed before its signature is checked on the raw bytes. What a notification says against our own
record (another amount, an order we had closed) is asked about before it is booked.
"""

from collections.abc import Mapping
from typing import Final

import structlog
from prometheus_client import Counter

from billing.ledger.booking import UnknownOrderError
from billing.payments import attempts
from billing.payments.settling import MONEY, settle, settle_refund, store_message
from billing.payments.states import ACTIVE, PaymentStatus
from billing.payments.till import Till
from billing.providers.port import (
    Acknowledgement,
    ForgedError,
    Notification,
    NotReadableError,
    OrderState,
    ProviderRefusedError,
    ProviderUnavailableError,
)

log = structlog.get_logger()

heard: Final = Counter("parking_notifications", "What providers sent, by what became of it.", ["provider", "outcome"])


async def hear(till: Till, provider: str, headers: Mapping[str, str], body: bytes) -> Acknowledgement:
    """Take a notification; what to answer, whose status says whether the provider is to send it again.

    Raises:
        ProviderUnknownError: nobody of this name is configured.
        ForgedError: it is not from the provider, or not for us; nothing was done.
    """
    adapter = till.provider(provider)
    try:
        notification = await adapter.read_notification(headers, body)
    except ForgedError as error:
        why = str(error.facts.get("why", "signature"))
        heard.labels(provider, f"forged-{why}").inc()
        if why == "merchant":  # signed well: somebody's settings are mixed up, perhaps ours
            log.error("notification.of_another_merchant", provider=provider)  # noqa: TRY400 - an alarm, no bug
        raise
    except NotReadableError as error:
        heard.labels(provider, "not-readable").inc()
        log.error("notification.not_readable", provider=provider, why=error.message)  # noqa: TRY400 - an alarm, no bug
        return adapter.acknowledge(taken=False)
    try:
        await _take(till, provider, notification)
    except UnknownOrderError:
        await _keep_for_a_person(till, provider, notification)
        return adapter.acknowledge(taken=False)
    except (ProviderUnavailableError, ProviderRefusedError) as error:
        heard.labels(provider, "not-confirmed").inc()
        log.warning("notification.not_confirmed", provider=provider, why=error.message)
        return adapter.acknowledge(taken=False)
    heard.labels(provider, "taken").inc()
    return adapter.acknowledge(taken=True)


async def _take(till: Till, provider: str, notification: Notification) -> None:
    about = notification.about
    if not isinstance(about, OrderState):
        await settle_refund(till, provider, about, source="notification", key=notification.key)
        return
    if about.status in MONEY and await _contradicts(till, provider, about):
        asked = await till.provider(provider).query(about.order_no)
        log.warning("notification.asked_about", provider=provider, order_no=about.order_no, answer=asked.status)
        await settle(till, provider, asked, source="query")
        if asked.status in MONEY:
            return
        raise ProviderUnavailableError("what was notified is not confirmed", provider=provider)
    await settle(till, provider, about, source="notification", key=notification.key)


async def _contradicts(till: Till, provider: str, about: OrderState) -> bool:
    """Whether it says that an order was paid which we took for closed, or with another sum."""
    async with till.database.transaction() as db:
        row = await attempts.find_attempt(db, provider, about.order_no)
    if row is None or row.status == PaymentStatus.PAID:
        return False
    is_odd = about.currency != "CNY" or about.total_fen != row.amount_fen
    return is_odd or PaymentStatus(row.status) not in ACTIVE


async def _keep_for_a_person(till: Till, provider: str, notification: Notification) -> None:
    heard.labels(provider, "unknown-order").inc()
    about = notification.about
    log.error("notification.of_unknown_order", provider=provider, order_no=about.order_no)
    async with till.database.transaction() as db:
        await store_message(
            db,
            provider,
            about,
            source="notification",
            key=notification.key,
            payment_id=None,
            outcome="unknown-order",
        )
