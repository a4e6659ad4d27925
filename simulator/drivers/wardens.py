"""Wardens: they walk from one lot to the next, photograph the plates of unidentified vehicles, and miss some.

What they see is the plate of the driver who came there (``simulator.drivers.habits``); whom the drivers never saw
come, they cannot photograph either.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import httpx
import structlog
from PIL import Image, ImageDraw

from core.clock import Clock, rfc3339
from core.plate import parse_plate
from simulator.dice import Dice, key_of
from simulator.drivers.habits import MINUTE_MS, Driver
from simulator.drivers.phone import ANSWER_SECONDS, NotNowError
from simulator.drivers.told import PatrolLine, Told

log = structlog.get_logger()

MISSES: Final = 0.15
"""Of the vehicles that a warden comes by."""
BETWEEN_MS: Final = MINUTE_MS // 4
"""From one vehicle to the next, on the run's clock: a dozen people on the street, three minutes each."""
WALK: Final = 20
"""Vehicles of one lot, before the next lot's turn comes."""
LONGEST_LIST: Final = 500
OPERATOR: Final = "/api/v1/operator"
_UNAUTHENTICATED: Final = 401


class Warden:
    """All of them, with one login of the role warden: where one has been no other goes."""

    def __init__(self, api_url: str, login: str, password: str, *, clock: Clock, told: Told, seed: int) -> None:
        self._api = httpx.Client(
            base_url=api_url,
            headers={"X-Requested-With": "simulated warden"},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )
        self._login = {"login": login, "password": password}
        self._is_in = False
        self._clock = clock
        self._told = told
        self._seed = seed
        self._lots: list[str] = []
        self._list: list[dict[str, Any]] = []
        self._came_by: dict[str, set[str]] = {}
        """By lot, stays that are on its list still: vehicles that were missed."""
        self._next_ms = 0
        self.photographed = self.missed = 0

    def close(self) -> None:
        """Go home."""
        self._api.close()

    def turn(self, now_ms: int, driver_on: Callable[[str], Driver | None]) -> None:
        """Go to the next vehicle, if it is time; one at most.

        Raises:
            NotNowError: the api is away, or does not know this warden.
        """
        if now_ms < self._next_ms:
            return
        if not self._list:
            self._list = self._next_list()
        self._next_ms = now_ms + BETWEEN_MS
        if self._list:
            stay = self._list.pop(0)
            self._came_by[stay["lot_id"]].add(stay["session_id"])
            self._come_by(stay, driver_on(stay["space_code"]))

    def _come_by(self, stay: dict[str, Any], driver: Driver | None) -> None:
        if driver is None:
            return
        sees = Dice(key_of(self._seed, "warden", stay["session_id"])).uniform() >= MISSES
        if sees and not self._attach(stay["session_id"], driver.plate):
            return
        self.photographed += sees
        self.missed += not sees
        plate = parse_plate(driver.plate).masked
        at = rfc3339(self._clock.now())
        self._told.patrol(
            PatrolLine(session_id=stay["session_id"], space=stay["space_code"], plate=plate, photographed=sees, at=at)
        )

    def _attach(self, session_id: str, plate: str) -> bool:
        """Whether the plate was taken: the vehicle may have left meanwhile."""
        answer = self._ask(
            "POST",
            f"{OPERATOR}/sessions/{session_id}/plate",
            data={"plate": plate},
            files={"photo": ("plate.jpg", photo_of(plate), "image/jpeg")},
        )
        return answer.is_success

    def _next_list(self) -> list[dict[str, Any]]:
        """The vehicles of the lot whose turn it is that nobody has come by; none if there are none."""
        if not self._lots:
            lots = self._ask("GET", "/api/v1/lots").json()["features"]
            self._lots = sorted((one["properties"]["code"] for one in lots), key=self._chance, reverse=True)
        lot = self._lots.pop()
        answer = self._ask("GET", f"{OPERATOR}/patrol", params={"lot": lot, "limit": LONGEST_LIST})
        found: list[dict[str, Any]] = answer.json() if answer.is_success else []
        been = self._came_by[lot] = self._came_by.get(lot, set()) & {one["session_id"] for one in found}
        return [one for one in found if one["session_id"] not in been][:WALK]

    def _chance(self, lot: str) -> float:
        """Where a lot comes in the round; each seed walks another way."""
        return Dice(key_of(self._seed, "round", lot)).uniform()

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer; a login that has ended is begun anew.

        Raises:
            NotNowError: see ``turn``.
        """
        try:
            answer = self._logged_in().request(method, path, **more)
            if answer.status_code == _UNAUTHENTICATED:
                self._is_in = False
                answer = self._logged_in().request(method, path, **more)
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        if answer.is_success or answer.status_code in _GONE:
            return answer
        raise NotNowError(f"warden: {answer.status_code} {answer.text[:200]}")

    def _logged_in(self) -> httpx.Client:
        if not self._is_in:
            self._is_in = self._api.post(f"{OPERATOR}/login", json=self._login).raise_for_status().is_success
        return self._api


_GONE: Final = frozenset({404, 409, 422})


def photo_of(plate: str) -> bytes:
    """A picture of a plate, blue with white signs, as a JPEG; its province is left out, for the font has no Chinese."""
    picture = Image.new("RGB", (440, 140), (20, 60, 160))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((6, 6, 433, 133), outline=(255, 255, 255), width=3)
    draw.text((24, 40), plate[1:], fill=(255, 255, 255), font_size=56)
    content = BytesIO()
    picture.save(content, "JPEG", quality=80)
    return content.getvalue()
