"""Who pays, inside WeChat: a code from the browser becomes the payer's openid for this official account.

The answers are not signed, only carried by TLS. That is enough: an openid says who is asked to pay, not that he did.
"""

import json
from typing import Final
from urllib.parse import urlencode

from billing.providers.line import Line
from billing.providers.port import ProviderRefusedError, ProviderUnavailableError
from billing.providers.wechat.merchant import NAME, WechatMerchant

SILENT: Final = "snsapi_base"
"""The scope that asks the payer nothing and tells only the openid."""


class Recognition:
    """The two steps of the official account's silent login."""

    def __init__(self, merchant: WechatMerchant, line: Line) -> None:
        self._merchant = merchant
        self._line = line

    def authorize_url(self, redirect_url: str, state: str) -> str:
        """Where to send a browser inside WeChat; it comes back to ``redirect_url`` with ``code`` and ``state``."""
        query = {
            "appid": self._merchant.app_id,
            "redirect_uri": redirect_url,
            "response_type": "code",
            "scope": SILENT,
            "state": state,
        }
        return f"{self._merchant.authorize_url}?{urlencode(query)}#wechat_redirect"

    async def openid(self, code: str) -> str:
        """The payer of a code, which is good once and for five minutes.

        Raises:
            ProviderUnavailableError: no answer, or none that can be read.
            ProviderRefusedError: the code is used or invented; carries WeChat's number as ``code``.
        """
        query = {
            "appid": self._merchant.app_id,
            "secret": self._merchant.app_secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        url = f"{self._merchant.oauth_url.rstrip('/')}/sns/oauth2/access_token?{urlencode(query)}"
        response = await self._line.send("GET", url, {"Accept": "application/json"})
        try:
            answer = json.loads(response.content)
            openid, number = answer.get("openid"), answer.get("errcode")
        except (ValueError, AttributeError) as error:
            raise ProviderUnavailableError("WeChat's login cannot be read", provider=NAME) from error
        if isinstance(openid, str) and openid:
            return openid
        if number == -1 or not isinstance(number, int):
            raise ProviderUnavailableError("WeChat's login is busy", provider=NAME)
        raise ProviderRefusedError(f"WeChat does not know this payer ({number})", provider=NAME, code=str(number))
