"""A machine in the street: find the stay by the number of its space, show a code, and give a receipt."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

import httpx

from simulator.drivers.phone import ANSWER_SECONDS, NotNowError

PATIENCE_SECONDS: Final = 4.0
LOOK_SECONDS: Final = 0.3
_CHANNELS: Final = {"wechat_h5": "wechat", "alipay_wap": "alipay"}
"""A machine shows codes to scan: what a phone's browser would open is the same provider there."""


class Kiosk:
    """One machine, with a device key of its own."""

    def __init__(self, api_url: str, key: str) -> None:
        self._api = httpx.Client(
            base_url=f"{api_url}/api/v1/kiosk",
            headers={"Authorization": f"Bearer {key}"},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    def close(self) -> None:
        """Switch it off."""
        self._api.close()

    def find(self, space: str) -> dict[str, Any] | None:
        """The stay on a space; None where none is known.

        Raises:
            NotNowError: the api is away, or knows no such machine.
        """
        answer = self._ask("POST", "/find", json={"space": space})
        found = answer.json()["matches"] if answer.is_success else []
        session: dict[str, Any] | None = found[0]["session"] if found else None
        return session

    def begin(self, session_id: str, channel: str) -> dict[str, Any] | None:
        """An attempt to pay, whose code the machine shows; None where nothing is due.

        Raises:
            NotNowError: see there.
        """
        answer = self._ask(
            "POST",
            f"/sessions/{session_id}/payments",
            json={"channel": _CHANNELS.get(channel, channel)},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        payment: dict[str, Any] | None = answer.json()["payment"] if answer.is_success else None
        return payment

    def is_paid(self, payment_id: str) -> bool:
        """Whether the money has come, which the machine waits for a few seconds, as people do in front of it.

        Raises:
            NotNowError: see there.
        """
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._ask("GET", f"/payments/{payment_id}")
            if answer.is_success and answer.json()["payment"]["status"] == "paid":
                return True
            if time.monotonic() > ends_at:
                return False
            time.sleep(LOOK_SECONDS)

    def receipt(self, session_id: str) -> Mapping[str, Any] | None:
        """What the machine prints; None where there is nothing to print yet.

        Raises:
            NotNowError: see there.
        """
        answer = self._ask("POST", f"/sessions/{session_id}/receipt")
        return answer.json() if answer.is_success else None

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._api.request(method, path, **more)
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        if answer.is_success or answer.status_code in _NOTHING_TO_PAY:
            return answer
        said = answer.headers.get("retry-after", "")
        raise NotNowError(f"kiosk: {answer.status_code} {answer.text[:200]}", float(said) if said.isdigit() else 0.0)


_NOTHING_TO_PAY: Final = frozenset({404, 409})
