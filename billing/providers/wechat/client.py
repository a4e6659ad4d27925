"""Calls to WeChat Pay: signed, sent, the answer verified before it is read, every failure named."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from billing.providers.line import FRESH_SECONDS, Line, real_now
from billing.providers.port import ProviderRefusedError, ProviderUnavailableError
from billing.providers.redaction import without_names
from billing.providers.wechat.merchant import NAME, WechatMerchant
from billing.providers.wechat.signing import Seal, SealedError, authorization, bytes_of, document_of
from billing.providers.wechat.trust import Certificates, Trust, certificates_of, plain_serial

CERTIFICATES_PATH: Final = "/v3/certificates"
NOT_FINAL: Final = frozenset(
    {"SYSTEMERROR", "FREQUENCYLIMITED", "RATELIMITEXCEEDED", "RATELIMITED", "BANKERROR", "SIGNERROR"}
)
"""Codes of WeChat's that only say "not now", or "not with this signature", without the underscores that vary."""

log = structlog.get_logger()


class WechatClient:
    """One merchant's signed conversation with WeChat Pay."""

    def __init__(self, merchant: WechatMerchant, line: Line, now: Callable[[], datetime] = real_now) -> None:
        self.merchant = merchant
        self.line = line
        self.now = now
        self.trust = Trust(merchant.public_keys, self._fetch_certificates)
        self._base = merchant.api_url.rstrip("/")

    async def call(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What WeChat answers to this, proved to be its own words.

        Args:
            method: GET or POST.
            path: with its query string, from ``/v3``.
            document: becomes the JSON body.

        Raises:
            ProviderUnavailableError: no answer, none that can be believed, or "not now".
            ProviderRefusedError: a signed no, with its ``code`` (without underscores).
        """
        response = await self.send(method, path, document)
        if not await self._is_genuine(response):
            raise self._unknown(f"answered {response.status_code} without a valid signature", response)
        return self._judge(response)

    async def send(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> httpx.Response:
        """The answer as it came, not verified: for the bill's download, which WeChat does not sign.

        Raises:
            ProviderUnavailableError: no answer.
        """
        body = b"" if document is None else bytes_of(document)
        timestamp, nonce = int(self.now().timestamp()), secrets.token_hex(16)
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": authorization(self.merchant, method, path, body, timestamp=timestamp, nonce=nonce),
        }
        if self.merchant.public_keys:
            headers["Wechatpay-Serial"] = next(iter(self.merchant.public_keys))
        return await self.line.send(method, self._base + path, headers, body)

    async def download(self, url: str) -> bytes:
        """A file of WeChat's, by the address that a signed answer gave; it carries no signature of its own.

        Raises:
            ProviderUnavailableError: no answer, or no file.
        """
        parts = urlsplit(url)
        response = await self.send("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        if response.status_code != httpx.codes.OK:
            raise self._unknown(f"answered {response.status_code} to a download", response)
        return response.content

    async def _is_genuine(self, response: httpx.Response) -> bool:
        seal = Seal.find(response.headers)
        if seal is None or not seal.is_fresh(self.now().timestamp(), FRESH_SECONDS):
            return False
        key = await self.trust.find(seal.serial, self.now())
        return key is not None and seal.fits(key, response.content)

    def _judge(self, response: httpx.Response) -> dict[str, Any]:
        try:
            document = document_of(response.content)
        except ValueError as error:
            raise self._unknown("answered with something that is no JSON object", response) from error
        if response.status_code in (httpx.codes.OK, httpx.codes.NO_CONTENT):
            return document
        code = str(document.get("code", "")).replace("_", "").upper()
        if response.is_client_error and response.status_code != httpx.codes.TOO_MANY_REQUESTS and code not in NOT_FINAL:
            message = without_names(str(document.get("message", "")))
            log.info("provider.refused", provider=NAME, code=code)
            raise ProviderRefusedError(f"WeChat Pay refused: {code} {message}".rstrip(), provider=NAME, code=code)
        raise self._unknown(f"answered {response.status_code} {code}".rstrip(), response)

    def _unknown(self, what: str, response: httpx.Response) -> ProviderUnavailableError:
        log.warning("provider.unproved", provider=NAME, status=response.status_code, what=what)
        return ProviderUnavailableError(
            f"WeChat Pay {what}", provider=NAME, clock_ahead_seconds=self.line.clock_ahead_seconds
        )

    async def _fetch_certificates(self) -> Certificates:
        """WeChat's platform certificates: sealed with the APIv3 key, and the list signed by one of them."""
        response = await self.send("GET", CERTIFICATES_PATH)
        try:
            found = certificates_of(document_of(response.content), self.merchant.api_keys)
        except (SealedError, ValueError) as error:
            raise self._unknown("sent certificates that cannot be read", response) from error
        seal = Seal.find(response.headers)
        if seal is None or not seal.is_fresh(self.now().timestamp(), FRESH_SECONDS):
            raise self._unknown("sent certificates without a fresh signature", response)
        signer = found.get(plain_serial(seal.serial))
        key = signer.public_key() if signer else self.merchant.public_keys.get(seal.serial)
        if not isinstance(key, RSAPublicKey) or not seal.fits(key, response.content):
            raise self._unknown("sent certificates with a wrong signature", response)
        log.info("provider.certificates_fetched", provider=NAME, certificates=len(found))
        return found
