"""While a driver waits the api itself asks the provider, so that a lost notification costs seconds and not minutes."""

import asyncio
from typing import Final

import structlog

from api.away import AWAY
from billing.payments.sweeping import sweep_young
from billing.payments.till import Till, real_now

log = structlog.get_logger()

LOOK_EVERY_SECONDS: Final = 1.0
REST_SECONDS: Final = 5.0
"""After trouble."""


async def poll_for_ever(till: Till) -> None:
    """Follow young payments until cancelled; a bug is logged, and the next second tried again."""
    while till.providers:
        pause = LOOK_EVERY_SECONDS
        try:
            await sweep_young(till, real_now())
        except AWAY as error:
            pause = REST_SECONDS
            log.warning("database.away", error=repr(error))
        except Exception:
            pause = REST_SECONDS
            log.exception("payments.not_polled")
        await asyncio.sleep(pause)
