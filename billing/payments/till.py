"""What a process needs to take money: built once, handed to the flow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from billing.providers.port import Channel, PaymentProvider
from core.clock import Clock
from core.db import Database
from core.errors import ConflictError, NotFoundError


class ChannelNotOfferedError(ConflictError):
    """This installation takes no money that way. Carries ``channel`` and what it ``offers``."""

    slug = "channel-not-offered"


class ProviderUnknownError(NotFoundError):
    """No payment provider of this name is configured here. Carries ``provider``."""

    slug = "provider-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """The providers, the database, and the clock that fees run on."""

    providers: Mapping[str, PaymentProvider]
    database: Database
    clock: Clock
    notify_base_url: str
    """How providers reach ``/api/v1/notify/...``."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What may be paid with here, in the order of the port's list."""
        offered = {channel for provider in self.providers.values() for channel in provider.channels}
        return tuple(channel for channel in Channel if channel in offered)

    def provider_of(self, channel: Channel) -> PaymentProvider:
        """Who serves a channel.

        Raises:
            ChannelNotOfferedError: nobody here.
        """
        for provider in self.providers.values():
            if channel in provider.channels:
                return provider
        raise ChannelNotOfferedError(
            f"this installation does not take {channel}", channel=channel, offers=[str(one) for one in self.channels]
        )

    def provider(self, name: str) -> PaymentProvider:
        """The provider of this name.

        Raises:
            ProviderUnknownError: there is none here.
        """
        provider = self.providers.get(name)
        if provider is None:
            raise ProviderUnknownError(f"no payment provider {name!r} is configured here", provider=name)
        return provider

    def notify_url(self, provider: str) -> str:
        """Where this provider is to send its notifications."""
        return f"{self.notify_base_url.rstrip('/')}/api/v1/notify/{provider}"

    async def aclose(self) -> None:
        """Close the providers' connections; the database belongs to the process."""
        for provider in self.providers.values():
            await provider.aclose()


def real_now() -> datetime:
    """Orders, polls and timeouts live on real time, whatever clock the city runs on."""
    return datetime.now(UTC)
