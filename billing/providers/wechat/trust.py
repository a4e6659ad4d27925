"""WeChat Pay's own keys by serial number: public keys that are set, platform certificates that are fetched."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from billing.providers.port import ProviderUnavailableError
from billing.providers.wechat.merchant import NAME
from billing.providers.wechat.signing import SealedError, unseal

PUBLIC_KEY_MARK: Final = "PUB_KEY_ID_"
REFRESH_AT_MOST_EVERY_SECONDS: Final = 60.0
"""So that invented serial numbers make us ask WeChat no more often than this."""

log = structlog.get_logger()

Certificates = dict[str, x509.Certificate]
"""By serial number, upper-case hex without leading zeros."""


class Trust:
    """Chooses the verifier by the serial number that came with a signature; both kinds may be in use at once."""

    def __init__(self, public_keys: Mapping[str, RSAPublicKey], fetch: Callable[[], Awaitable[Certificates]]) -> None:
        self._public_keys = dict(public_keys)
        self._certificates: Certificates = {}
        self._fetch = fetch
        self._fetched_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, serial: str, now: datetime) -> RSAPublicKey | None:
        """The key of this serial number; an unknown certificate makes us fetch them once. None: not known to WeChat."""
        if serial.startswith(PUBLIC_KEY_MARK):
            return self._public_keys.get(serial)
        serial = plain_serial(serial)
        if key := self._valid(serial, now):
            return key
        async with self._lock:
            if self._valid(serial, now) is None and self._may_fetch():
                await self._refresh()
        return self._valid(serial, now)

    def learn(self, certificates: Certificates) -> None:
        """Replace what was known: a certificate that WeChat lists no more is believed no more."""
        self._certificates = dict(certificates)

    async def _refresh(self) -> None:
        self._fetched_at = time.monotonic()
        try:
            self.learn(await self._fetch())
        except ProviderUnavailableError as refusal:
            log.warning("provider.certificates_not_fetched", provider=NAME, error=refusal.message)

    def _may_fetch(self) -> bool:
        return self._fetched_at is None or time.monotonic() - self._fetched_at >= REFRESH_AT_MOST_EVERY_SECONDS

    def _valid(self, serial: str, now: datetime) -> RSAPublicKey | None:
        certificate = self._certificates.get(serial)
        if certificate is None or not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return None
        key = certificate.public_key()
        return key if isinstance(key, RSAPublicKey) else None


def plain_serial(serial: str) -> str:
    """A certificate's serial number as we compare it."""
    return serial.upper().lstrip("0")


def certificates_of(document: Mapping[str, Any], api_keys: tuple[bytes, ...]) -> Certificates:
    """The certificates of WeChat's list, opened with the APIv3 key, which nobody else could have sealed.

    Raises:
        SealedError: one cannot be opened or is no certificate.
    """
    found: Certificates = {}
    try:
        for entry in document["data"]:
            certificate = x509.load_pem_x509_certificate(unseal(entry["encrypt_certificate"], api_keys))
            found[plain_serial(f"{certificate.serial_number:X}")] = certificate
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, SealedError):
            raise
        raise SealedError("WeChat's list of certificates cannot be read") from error
    return found
