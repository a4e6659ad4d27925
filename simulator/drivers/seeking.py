"""People who look for a space on the map: they go where it ranks best and says that there is room, stay, and leave.

The vehicles of a city's own life know their spaces beforehand. These do not: they ask as a visitor's phone does, and
park through the simulator's own door (``POST /park``, ``POST /leave``), which makes the sensor speak. What they pay is
nobody's business here: the street sees them come, like everybody else.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import structlog

from simulator.dice import Dice, key_of
from simulator.drivers.habits import MINUTE_MS
from simulator.drivers.phone import ANSWER_SECONDS, NotNowError, Phone

log = structlog.get_logger()

HOUR_MS: Final = 60 * MINUTE_MS
RADIUS_M: Final = 1_200
SHORTEST_MINUTES, LONGEST_MINUTES = 12, 150
TRIES: Final = 3
"""Lots that somebody drives to before giving up."""
_TAKEN: Final = frozenset({404, 409})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody wants to be somewhere for a while."""

    at_ms: int
    near: tuple[float, float]
    """Longitude, latitude."""
    minutes: int
    phone: int


def wishes(places: Sequence[tuple[float, float]], *, an_hour: float, seed: int, nth: int, since_ms: int) -> Wish:
    """The ``nth`` wish of a seed, some while after the one before it."""
    dice = Dice(key_of(seed, "seeks", nth))
    wait_ms = int(dice.exponential() * HOUR_MS / an_hour)
    lon, lat = places[int(dice.uniform() * len(places))]
    minutes = SHORTEST_MINUTES + dice.uniform() ** 2 * (LONGEST_MINUTES - SHORTEST_MINUTES)
    return Wish(at_ms=since_ms + wait_ms, near=(lon, lat), minutes=int(minutes), phone=int(dice.uniform() * 2**16))


def chosen(answer: Mapping[str, Any]) -> list[str]:
    """Codes of the lots worth driving to, the best first: open on arrival, and the map says that there is room."""
    found = [feature["properties"] for feature in answer["features"]]
    return [one["code"] for one in sorted(found, key=_rank) if one["available"] and one["open_on_arrival"]][:TRIES]


class Seekers:
    """All who look for a space, one after the other."""

    def __init__(self, api_url: str, orders_url: str, *, an_hour: float, seed: int, since_ms: int) -> None:
        self._api_url = api_url
        self._door = httpx.Client(base_url=orders_url, timeout=ANSWER_SECONDS, trust_env=False)
        self._an_hour = an_hour
        self._seed = seed
        self._since_ms = since_ms
        self._nth = 0
        self._wish: Wish | None = None
        self._leaves: list[tuple[int, str]] = []
        self.parked = self.left = self.gave_up = 0

    def turn(self, now_ms: int, spaces_of: Mapping[str, Sequence[str]], states: Mapping[str, str]) -> None:
        """Let those come and go whose time it is: one arrival at most.

        Args:
            now_ms: on the run's clock.
            spaces_of: codes of spaces by their lot.
            states: letter by space, as the map shows it.

        Raises:
            NotNowError: the api or the simulator has no time for us.
        """
        while self._leaves and self._leaves[0][0] <= now_ms:
            self._leave(now_ms)
        if self._wish is None:
            self._wish = self._next_wish()
        if self._wish is None or self._wish.at_ms > now_ms:
            return
        wish, self._wish = self._wish, None
        self._since_ms = max(wish.at_ms, now_ms - HOUR_MS)
        self._seek(wish, now_ms, spaces_of, states)

    def close(self) -> None:
        """Nobody comes any more."""
        self._door.close()

    def _next_wish(self) -> Wish | None:
        answer = self._get("/api/v1/lots")
        places = [place for feature in answer["features"] if (place := _middle(feature["geometry"])) is not None]
        if not places:
            return None
        self._nth += 1
        return wishes(places, an_hour=self._an_hour, seed=self._seed, nth=self._nth, since_ms=self._since_ms)

    def _seek(self, wish: Wish, now_ms: int, spaces_of: Mapping[str, Sequence[str]], states: Mapping[str, str]) -> None:
        lon, lat = wish.near
        asked = {"lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "radius_m": RADIUS_M, "stay_minutes": wish.minutes}
        for lot in chosen(self._get("/api/v1/lots/nearby", number=wish.phone, **asked)):
            free = [space for space in spaces_of.get(lot, ()) if states.get(space) == "f"]
            if free and self._ask("/park", free[wish.phone % len(free)]):
                self.parked += 1
                heapq.heappush(self._leaves, (now_ms + wish.minutes * MINUTE_MS, free[wish.phone % len(free)]))
                return
        self.gave_up += 1

    def _leave(self, now_ms: int) -> None:
        _, space = heapq.heappop(self._leaves)
        try:
            self.left += self._ask("/leave", space)
        except NotNowError:
            heapq.heappush(self._leaves, (now_ms + MINUTE_MS, space))  # he is still standing there: later
            raise

    def _get(self, path: str, *, number: int = 1, **params: Any) -> dict[str, Any]:
        phone = Phone(self._api_url, number)
        try:
            found: dict[str, Any] = phone.ask("GET", path, params=params).json()
        finally:
            phone.close()
        return found

    def _ask(self, path: str, space: str) -> bool:
        """Knock at the simulator's door; whether it was done."""
        try:
            answer = self._door.post(path, json={"space": space})
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        if not answer.is_success and answer.status_code not in _TAKEN:
            raise NotNowError(f"{answer.status_code} {answer.text[:200]}")
        return answer.is_success


def _rank(properties: Mapping[str, Any]) -> int:
    rank: int = properties["rank"]
    return rank


def _middle(geometry: Mapping[str, Any]) -> tuple[float, float] | None:
    """Some position of a geometry."""
    value: Any = geometry.get("coordinates")
    while isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    return (float(value[0]), float(value[1])) if isinstance(value, list) and len(value) > 1 else None
