"""The worker's part in payments: everything that is due is asked about, everything decided is sent."""

from api.idempotency import forget_old_keys
from billing.payments.sweeping import sweep
from billing.payments.till import Till, real_now
from billing.providers.configured import build_providers
from core.clock import Clock
from core.db import Database
from core.settings import Settings


def till_of(settings: Settings, database: Database) -> Till:
    """What a process needs to take money and give it back.

    Raises:
        InvalidError: a provider is configured in part.
    """
    return Till(
        providers=build_providers(settings),
        database=database,
        clock=settings.the_clock,
        notify_base_url=settings.public_url or f"http://{settings.host}:{settings.port}",
    )


async def sweep_payments(till: Till, _database: Database, _clock: Clock) -> None:
    """Follow what is due; on real time, as the providers live on it."""
    if till.providers:
        await sweep(till, real_now())


async def forget_keys(database: Database, _clock: Clock) -> None:
    """Let go of stored answers that nobody repeats any more."""
    await forget_old_keys(database)
