"""Looking at the payment providers: the settings, then one harmless question to each that only a right key answers."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol, runtime_checkable
from urllib.parse import urlsplit

from billing.providers.configured import build_providers
from billing.providers.line import FRESH_SECONDS
from billing.providers.port import OrderStatus, PaymentProvider, ProviderRefusedError, ProviderUnavailableError
from core.errors import InvalidError
from core.settings import Settings
from ops.checks.finding import Finding, fail, ok, warn
from ops.gateway import find_gateway_url, folder_of, settings_of_merchant
from ops.state import State

CLOCK_TOLERANCE_SECONDS: Final = 60.0
GUIDE: Final = "docs/providers.md has every setting step by step"


@runtime_checkable
class _Dated(Protocol):
    """A provider whose answers tell what time it is there."""

    @property
    def clock_ahead_seconds(self) -> float | None: ...


def check_payments(state: State) -> Iterator[Finding]:
    """Whether money can be taken, and why not; where nothing is configured, by way of a gateway that runs here."""
    try:
        settings = Settings()
        providers = build_providers(settings)
    except InvalidError as refusal:
        yield fail("payments", refusal.message, GUIDE)
        return
    if not providers:
        gateway = find_gateway_url(state)
        if gateway is None:
            yield ok("payments", "no provider is configured: nothing can be paid")
            return
        yield ok("payments", f"through the simulated gateway at {gateway}: no real money moves")
        settings = settings_of_merchant(folder_of(state))
        providers = build_providers(settings)
    yield from asyncio.run(ask_providers(providers))
    yield check_way_back(settings, providers)


async def ask_providers(providers: Mapping[str, PaymentProvider]) -> list[Finding]:
    """Ask each for an order that nobody made; closes them afterwards."""
    findings: list[Finding] = []
    for provider in providers.values():
        findings += await _ask(provider)
        await provider.aclose()
    return findings


def check_way_back(settings: Settings, providers: Iterable[str]) -> Finding:
    """Whether real providers can reach us with what they have to tell."""
    urls = {"wechat": settings.wechat_api_url, "alipay": settings.alipay_api_url}
    real = [name for name in providers if urlsplit(urls[name]).scheme == "https"]
    if not real or urlsplit(settings.public_url).scheme == "https":
        return ok("notifications", f"to {settings.public_url or 'this machine'}/api/v1/notify/")
    return warn(
        "notifications",
        f"{' and '.join(real)} cannot reach {settings.public_url or 'this machine'}: payments are found only by asking",
        "set PARKING_PUBLIC_URL to the https address under which the api is reached",
    )


async def _ask(provider: PaymentProvider) -> list[Finding]:
    what = f"payments by {provider.name}"
    try:
        state = await provider.query(f"DOCTOR{secrets.token_hex(8).upper()}")
    except ProviderRefusedError as refusal:
        return [fail(what, refusal.message, f"compare the merchant's numbers and keys; {GUIDE}"), *_clock(provider)]
    except ProviderUnavailableError as refusal:
        return [fail(what, refusal.message, f"check network, clock and keys; {GUIDE}"), *_clock(provider)]
    if state.status is not OrderStatus.NOT_FOUND:
        return [fail(what, "the provider knows an order that nobody made", GUIDE)]
    channels = ", ".join(sorted(provider.channels))
    return [ok(what, f"both sides believe each other's signatures; {channels}"), *_clock(provider)]


def _clock(provider: PaymentProvider) -> Iterator[Finding]:
    ahead = provider.clock_ahead_seconds if isinstance(provider, _Dated) else None
    if ahead is None:
        return
    what, found = f"clock of {provider.name}", f"{ahead:+.1f} s from ours"
    cure = "set this machine's clock by NTP"
    if abs(ahead) > FRESH_SECONDS:
        yield fail(what, f"{found}: neither side believes the other", cure)
    elif abs(ahead) > CLOCK_TOLERANCE_SECONDS:
        yield warn(what, found, cure)
    else:
        yield ok(what, found)
