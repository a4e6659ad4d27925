"""Buying a pass: what is on sale, an order for a plate, and the attempt to pay it; each plate buys once."""

import uuid
from datetime import datetime
from typing import Any

from simulator.drivers.habits import Driver
from simulator.drivers.phone import Phone


class PassShop:
    """Who has bought a pass already."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._bought: set[str] = set()

    def buy(self, phone: Phone, driver: Driver, *, lot: str, today: datetime) -> dict[str, Any] | None:
        """Order the cheapest pass that stands for a lot; the attempt to pay it, None where there is nothing to buy.

        Raises:
            NotNowError: the api is away.
        """
        if driver.plate in self._bought:
            return None
        answer = phone.ask("GET", "/api/v1/passes/offers")
        offers = answer.json().get("offers", []) if answer.is_success else []
        offer = next((one for one in offers if not one["lots"] or lot in one["lots"]), None)
        if offer is None:
            return None
        order = {"offer": offer["code"], "plate": driver.plate, "begins_on": today.date().isoformat()}
        made = phone.ask("POST", "/api/v1/passes/orders", json=order, headers=_key(self._seed, driver, "order"))
        if not made.is_success:
            return None
        self._bought.add(driver.plate)
        path = f"/api/v1/passes/orders/{made.json()['id']}/payments"
        attempt = phone.ask(
            "POST", path, json={"channel": driver.channels[0]}, headers=_key(self._seed, driver, "payment")
        )
        found: dict[str, Any] = attempt.json()
        return found if attempt.is_success else None


def _key(seed: int, driver: Driver, what: str) -> dict[str, str]:
    """The same order again is the same order: a phone that got no answer may ask twice."""
    return {"Idempotency-Key": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed} {driver.plate} {what}"))}
