"""The line to a provider: one HTTP client with its timeouts, and how far the provider's clock is from ours."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final

import httpx
import structlog
from prometheus_client import Gauge, Histogram

from billing.providers.port import ProviderUnavailableError
from billing.providers.redaction import quiet_http_client, without_query

TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
LONGEST_SECONDS: Final = 60.0
"""Of one call in all: an answer that comes in drops is none."""
LARGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024
FRESH_SECONDS: Final = 300
"""How old, or how far ahead, a signed message may be on the real clock."""

PAST_ANY_PROXY: Final[dict[str, None]] = {"all://127.0.0.1": None, "all://localhost": None}
"""A simulated provider on this machine; the real ones are reached through ``HTTPS_PROXY`` where that is set."""

log = structlog.get_logger()

asked: Final = Histogram("parking_provider_seconds", "Calls to a payment provider.", ["provider", "outcome"])
clock_ahead: Final = Gauge("parking_provider_clock_ahead_seconds", "A provider's clock minus ours.", ["provider"])


def real_now() -> datetime:
    """The machine's own time: a city's virtual clock has no say in signatures."""
    return datetime.now(UTC)


class Line:
    """Sends bytes and brings bytes back; whatever goes wrong on the way proves nothing."""

    def __init__(
        self,
        provider: str,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = real_now,
    ) -> None:
        self.provider = provider
        self._now = now
        self.clock_ahead_seconds: float | None = None
        """The provider's clock minus ours, from its latest answer; None before the first."""
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT,
            transport=transport,
            mounts=PAST_ANY_PROXY,
            verify=_authorities(),
            headers={"User-Agent": "smart-parking"},
        )
        quiet_http_client()

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        """One request, never repeated here: the caller knows whether it may be.

        Raises:
            ProviderUnavailableError: no answer in time, or one beyond all bounds; whether it was done is unknown.
        """
        began = time.monotonic()
        try:
            response, content = await self._exchange(method, url, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            asked.labels(self.provider, "unanswered").observe(time.monotonic() - began)
            why = type(error).__name__
            log.warning("provider.unanswered", provider=self.provider, url=without_query(url), error=why)
            raise ProviderUnavailableError(f"{self.provider} did not answer ({why})", provider=self.provider) from error
        asked.labels(self.provider, "answered").observe(time.monotonic() - began)
        self._compare_clocks(response.headers.get("date"))
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[httpx.Response, bytes]:
        sent = self._http.stream(method, url, headers=dict(headers), content=body or None)
        async with asyncio.timeout(LONGEST_SECONDS), sent as response:
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > LARGEST_ANSWER_BYTES:
                    raise httpx.DecodingError("the answer has no end")
        return response, bytes(content)

    def _compare_clocks(self, date: str | None) -> None:
        if date is None:
            return
        try:
            theirs = parsedate_to_datetime(date)
        except ValueError:
            return
        if theirs.tzinfo is not None:
            self.clock_ahead_seconds = (theirs - self._now()).total_seconds()
            clock_ahead.labels(self.provider).set(self.clock_ahead_seconds)


@cache
def _authorities() -> ssl.SSLContext:
    """Read once for all lines: a hundred and fifty certificates."""
    return httpx.create_ssl_context()


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Without those that described the encoding on the way: the content is decoded already."""
    return {name: value for name, value in headers.items() if name not in {"content-encoding", "transfer-encoding"}}
