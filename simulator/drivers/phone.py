"""A driver's phone: the printed code's session, an attempt to pay, and the button on the cashier's page."""

import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

ANSWER_SECONDS: Final = 10.0
NOTHING_TO_PAY: Final = frozenset({404, 409})


class NotNowError(Exception):
    """The api does not serve phones at the moment; carries how many seconds to wait."""

    def __init__(self, why: str, wait_seconds: float = 0.0) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What is printed beside a space."""

    space: str
    token: str


class Phone:
    """One phone with an address of its own, as phones have: the api's limits count for each, and none is evaded."""

    def __init__(self, api_url: str, number: int, language: str = "zh-CN") -> None:
        self._api = httpx.Client(
            base_url=api_url,
            timeout=ANSWER_SECONDS,
            follow_redirects=True,
            headers={"Accept-Language": language},
            transport=httpx.HTTPTransport(local_address=address_of(number, api_url)),
        )

    def close(self) -> None:
        """Put it away."""
        self._api.close()

    def session(self, code: Code) -> dict[str, Any] | None:
        """The session on the space; None where nothing is parked and nothing left to pay.

        Raises:
            NotNowError: see there.
        """
        answer = self.ask("GET", f"/api/v1/spaces/{code.space}/session", params={"k": code.token})
        found: dict[str, Any] = answer.json()
        return found if answer.is_success else None

    def say_plate(self, session_id: str, plate: str) -> bool:
        """Say whose vehicle it is; whether that was taken.

        Raises:
            NotNowError: see there.
        """
        return self.ask("POST", f"/api/v1/sessions/{session_id}/plate", json={"plate": plate}).is_success

    def begin(self, session_id: str, channel: str) -> dict[str, Any] | None:
        """An attempt to pay what is due; None where nothing is.

        Raises:
            NotNowError: see there.
        """
        answer = self.ask(
            "POST",
            f"/api/v1/sessions/{session_id}/payments",
            json={"channel": channel},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        found: dict[str, Any] = answer.json()
        return found if answer.is_success else None

    def can_pay(self, attempt: Mapping[str, Any]) -> bool:
        """Whether the attempt names a page to pay at."""
        return bool(attempt.get("code_url") or attempt.get("pay_url"))

    def pay(self, attempt: Mapping[str, Any]) -> bool:
        """Open the page that the attempt names and press the button; whether the page says that it is paid.

        Raises:
            NotNowError: the gateway is away.
        """
        address = attempt.get("code_url") or attempt["pay_url"]
        try:
            with httpx.Client(timeout=ANSWER_SECONDS, follow_redirects=True, trust_env=False) as browser:
                page = browser.get(address)
                done = browser.post(str(page.url), data={"choice": "pay"})
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        return done.is_success and 'class="state good"' in done.text

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the api; what is refused because there is nothing to pay is an answer too.

        Raises:
            NotNowError: it does not answer, or has no time for us.
        """
        try:
            answer = self._api.request(method, path, **more)
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        if answer.is_success or answer.status_code in NOTHING_TO_PAY:
            return answer
        said = answer.headers.get("retry-after", "")
        raise NotNowError(f"{answer.status_code} {answer.text[:200]}", float(said) if said.isdigit() else 0.0)


def address_of(number: int, api_url: str) -> str | None:
    """An address on the loopback network for a phone's number; None where only one exists."""
    is_loopback = (urlsplit(api_url).hostname or "").startswith("127.")
    if sys.platform != "linux" or not is_loopback:
        return None
    return f"127.{64 + (number >> 14) % 64}.{(number >> 7) % 128}.{1 + number % 127}"
