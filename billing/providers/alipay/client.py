"""Calls to Alipay: signed, sent, the answer verified on the very characters it was written with."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import httpx
import structlog

from billing.providers.alipay.merchant import NAME, AlipayMerchant
from billing.providers.alipay.signing import is_signed_by_any, members_of, request_form
from billing.providers.line import Line, real_now
from billing.providers.port import ProviderRefusedError, ProviderUnavailableError
from billing.providers.redaction import without_names

SUCCESS: Final = "10000"
FAILED: Final = "40004"
"""The one code that is a final no; the others say that Alipay could not tell, or not understand us."""
NOT_FINAL: Final = frozenset({"ACQ.SYSTEM_ERROR", "AOP.SYSTEM_ERROR", "ISP.UNKNOW-ERROR", "ISP.UNKNOWN-ERROR"})

log = structlog.get_logger()


class AlipayClient:
    """One application's signed conversation with Alipay."""

    def __init__(self, merchant: AlipayMerchant, line: Line, now: Callable[[], datetime] = real_now) -> None:
        self.merchant = merchant
        self.line = line
        self.now = now

    async def call(self, method: str, content: Mapping[str, Any], *, notify_url: str | None = None) -> dict[str, Any]:
        """What Alipay answers to this, proved to be its own words.

        Raises:
            ProviderUnavailableError: no answer, none that can be believed, or "not now".
            ProviderRefusedError: a signed no, with its ``code``, ``ACQ.TRADE_NOT_EXIST``.
        """
        form = request_form(self.merchant, method, content, at=self.now(), extra={"notify_url": notify_url})
        headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
        response = await self.line.send("POST", self.merchant.api_url, headers, form)
        return self._judge(self._proved(response, f"{method.replace('.', '_')}_response"))

    def page_url(self, method: str, content: Mapping[str, Any], *, notify_url: str, return_url: str | None) -> str:
        """The signed address that a browser opens to pay; nothing exists at Alipay before it does."""
        extra = {"notify_url": notify_url, "return_url": return_url}
        form = request_form(self.merchant, method, content, at=self.now(), extra=extra)
        return f"{self.merchant.api_url}?{form.decode()}"

    async def download(self, url: str) -> bytes:
        """A file of Alipay's, by the address that a signed answer gave.

        Raises:
            ProviderUnavailableError: no answer, or no file.
        """
        response = await self.line.send("GET", url, {})
        if response.status_code != httpx.codes.OK:
            raise self._unknown(f"answered {response.status_code} to a download")
        return response.content

    def _proved(self, response: httpx.Response, name: str) -> dict[str, Any]:
        if response.status_code != httpx.codes.OK:
            raise self._unknown(f"answered {response.status_code}")
        try:
            members = members_of(response.content.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise self._unknown("answered with something that is no JSON object") from error
        answer, characters = members.get(name, (None, ""))
        signature = members.get("sign", (None, ""))[0]
        if not isinstance(answer, dict):
            complaint, _ = members.get("error_response", ({}, ""))
            code = (complaint.get("sub_code") or complaint.get("code")) if isinstance(complaint, dict) else None
            raise self._unknown(f"did not understand us: {code}")
        if not isinstance(signature, str) or not is_signed_by_any(
            self.merchant.public_keys, characters.encode(), signature
        ):
            raise self._unknown(f"answered {answer.get('code')} {answer.get('sub_code', '')} without a valid signature")
        return answer

    def _judge(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("code") == SUCCESS:
            return answer
        code = str(answer.get("sub_code") or answer.get("code"))
        if answer.get("code") == FAILED and code.upper() not in NOT_FINAL:
            message = without_names(str(answer.get("sub_msg", "")))
            log.info("provider.refused", provider=NAME, code=code)
            raise ProviderRefusedError(f"Alipay refused: {code} {message}".rstrip(), provider=NAME, code=code)
        raise self._unknown(f"answered {code}")

    def _unknown(self, what: str) -> ProviderUnavailableError:
        log.warning("provider.unproved", provider=NAME, what=what)
        return ProviderUnavailableError(
            f"Alipay {what}", provider=NAME, clock_ahead_seconds=self.line.clock_ahead_seconds
        )
