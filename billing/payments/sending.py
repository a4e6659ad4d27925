"""Asking a provider to make, close and tell about an order; never inside a transaction."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row

from billing.payments import attempts
from billing.payments.settling import MONEY, settle
from billing.payments.states import PaymentStatus
from billing.payments.till import Till, real_now
from billing.providers.port import OrderState, OrderStatus, ProviderRefusedError, ProviderUnavailableError

log = structlog.get_logger()


async def send(till: Till, row: Row[Any]) -> None:
    """Ask for the order of an attempt, for the first time or again: the number and every word of it are the same.

    No proof that it exists leaves the payment ``unknown``, to be asked about and sent again by whoever polls.

    Raises:
        ProviderRefusedError: a final no; the payment has failed.
    """
    provider = till.provider(row.provider)
    try:
        opened = await provider.create(attempts.order_of(row, notify_url=till.notify_url(row.provider)))
    except ProviderUnavailableError as error:
        log.warning("payment.not_answered", payment_id=str(row.id), provider=row.provider, why=error.message)
        async with till.database.transaction() as db:
            await attempts.move(db, row.id, PaymentStatus.UNKNOWN, at=real_now())
        return
    except ProviderRefusedError as error:
        if await _is_there(till, row):
            return
        code = str(error.facts.get("code", "refused"))
        log.warning("payment.refused", payment_id=str(row.id), provider=row.provider, code=code)
        async with till.database.transaction() as db:
            await attempts.move(db, row.id, PaymentStatus.FAILED, at=real_now(), why=code)
        raise
    async with till.database.transaction() as db:
        await attempts.store_opened(db, row.id, opened, at=real_now())


async def _is_there(till: Till, row: Row[Any]) -> bool:
    """Whether a refused order exists all the same, perhaps paid: then it is no failure, and is followed.

    Sent again, an order that was paid meanwhile is refused; what cannot be asked about is not known to be none.
    """
    try:
        status = await ask(till, row)
    except ProviderRefusedError:
        return False
    except ProviderUnavailableError:
        async with till.database.transaction() as db:
            await attempts.move(db, row.id, PaymentStatus.UNKNOWN, at=real_now())
        return True
    return status in {*MONEY, OrderStatus.PENDING}


async def close(till: Till, row: Row[Any]) -> PaymentStatus:
    """Make an order unpayable, and ask once more; one that was paid before that is booked. The status afterwards.

    Raises:
        ProviderUnavailableError: nobody knows whether it can still be paid.
        ProviderRefusedError: it cannot be closed now, as the payer is just paying.
    """
    provider = till.provider(row.provider)
    state = await provider.close(row.order_no)
    source = "close"
    if state.status not in MONEY:
        again = await provider.query(row.order_no)
        if again.status in MONEY:
            state, source = again, "query"
    elif state.transaction_id is None:
        state, source = await provider.query(row.order_no), "query"  # the answer to a close names no number
    return await settle(till, row.provider, state, source="close" if source == "close" else "query", gone=True)


async def ask(till: Till, row: Row[Any]) -> OrderStatus:
    """Ask what became of an order and write it down.

    Raises:
        ProviderUnavailableError: no answer.
        ProviderRefusedError: the provider does not tell.
    """
    state: OrderState = await till.provider(row.provider).query(row.order_no)
    await settle(till, row.provider, state, source="query")
    return state.status


async def fetch(till: Till, payment_id: UUID) -> Row[Any]:
    """The attempt as it stands."""
    async with till.database.transaction() as db:
        return await attempts.fetch_attempt(db, payment_id)
