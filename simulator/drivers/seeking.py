"""People who choose a space by the map: they go where it ranks best and says that there is room, stay, and leave.

The vehicles of a city's own life know their spaces beforehand. These do not: they ask as a visitor's phone does, and
park through the simulator's own door (``POST /park``, ``POST /leave``), which makes the sensor speak. What they pay is
nobody's business here: the street sees them come, like everybody else.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import structlog

from simulator.dice import Dice, key_of
from simulator.drivers.habits import MINUTE_MS
from simulator.drivers.phone import ANSWER_SECONDS, NotNowError, Phone

log = structlog.get_logger()

SEEKER: Final = "seeker-"
"""How the names of their visits begin."""
SHARE: Final = 0.02
"""For each vehicle that comes by itself, so many more look at the map first."""
RADIUS_M: Final = 1_200
SHORTEST_MINUTES, LONGEST_MINUTES = 12, 150
TRIES: Final = 3
"""Lots that somebody drives to before giving up."""
PATIENCE_MS: Final = 30 * MINUTE_MS
"""Whoever could not be served for so long has gone home."""
_TAKEN: Final = frozenset({404, 409})

Place = tuple[float, float]
"""Longitude, latitude."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Wish:
    """Somebody wants to be somewhere for a while."""

    at_ms: int
    near: Place
    minutes: int
    phone: int

    @property
    def visit(self) -> str:
        """By which name he parks, and leaves."""
        return f"{SEEKER}{self.at_ms}-{self.phone}"


def wish_beside(space: str, near: Place, at_ms: int, *, share: float, seed: int) -> Wish | None:
    """Whether, when somebody comes to a space by himself, another looks for one near there. Pure: the same again."""
    dice = Dice(key_of(seed, "seeks", space, at_ms))
    if dice.uniform() >= share:
        return None
    minutes = SHORTEST_MINUTES + dice.uniform() ** 2 * (LONGEST_MINUTES - SHORTEST_MINUTES)
    return Wish(at_ms=at_ms, near=near, minutes=int(minutes), phone=int(dice.uniform() * 2**16))


def chosen(answer: Mapping[str, Any]) -> list[str]:
    """Codes of the lots worth driving to, the best first: open on arrival, and the map says that there is room."""
    found = [feature["properties"] for feature in answer["features"]]
    return [one["code"] for one in sorted(found, key=_rank) if one["available"] and one["open_on_arrival"]][:TRIES]


class Seekers:
    """All who look for a space, one after the other."""

    def __init__(self, api_url: str, orders_url: str, *, share: float, seed: int) -> None:
        self._api_url = api_url
        self._door = httpx.Client(base_url=orders_url, timeout=ANSWER_SECONDS, trust_env=False)
        self._share = share
        self._seed = seed
        self._places: dict[str, Place] = {}
        self._spaces_of: dict[str, list[str]] = {}
        self._wishes: list[Wish] = []
        self._leaves: list[tuple[int, str, str]] = []
        self.parked = self.left = self.gave_up = 0

    def learn(self, features: Iterable[Mapping[str, Any]]) -> None:
        """Where the spaces are, as ``GET /spaces`` tells it."""
        self._places, self._spaces_of = {}, {}
        for feature in features:
            code, lot = feature["properties"]["code"], feature["properties"]["lot_id"]
            self._places[code] = _corner(feature["geometry"])
            self._spaces_of.setdefault(lot, []).append(code)

    def see(self, came: Iterable[str], now_ms: int) -> None:
        """Vehicles came by themselves; where they go, others want to go."""
        for space in came:
            if space in self._places:
                wish = wish_beside(space, self._places[space], now_ms, share=self._share, seed=self._seed)
                if wish is not None:
                    heapq.heappush(self._wishes, wish)

    def guests(self) -> set[str]:
        """Spaces on which somebody stands who is none of the simulated people: they pay for themselves.

        Raises:
            NotNowError: the simulator has no time for us.
        """
        try:
            visits = self._door.get("/visits").raise_for_status().json()
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        return {space for space, visit in visits.items() if not visit.startswith(SEEKER)}

    def turn(self, now_ms: int, states: Mapping[str, str]) -> None:
        """Let one go whose time it is, and one come.

        Args:
            now_ms: on the run's clock.
            states: letter by space, as the map shows it.

        Raises:
            NotNowError: the api or the simulator has no time for us.
        """
        if self._leaves and self._leaves[0][0] <= now_ms:
            self._leave(now_ms)
        while self._wishes and self._wishes[0].at_ms < now_ms - PATIENCE_MS:
            heapq.heappop(self._wishes)
            self.gave_up += 1
        if self._wishes:
            self._seek(self._wishes[0], now_ms, states)
            heapq.heappop(self._wishes)

    def close(self) -> None:
        """Nobody comes any more."""
        self._door.close()

    def _seek(self, wish: Wish, now_ms: int, states: Mapping[str, str]) -> None:
        for lot in chosen(self._nearby(wish)):
            free = [space for space in self._spaces_of.get(lot, ()) if states.get(space) == "f"]
            if not free:
                continue
            space = free[wish.phone % len(free)]
            if self._ask("/park", space, wish.visit):
                self.parked += 1
                heapq.heappush(self._leaves, (now_ms + wish.minutes * MINUTE_MS, space, wish.visit))
                return
        self.gave_up += 1

    def _leave(self, now_ms: int) -> None:
        _, space, visit = heapq.heappop(self._leaves)
        try:
            self.left += self._ask("/leave", space, visit)
        except NotNowError:
            heapq.heappush(self._leaves, (now_ms + MINUTE_MS, space, visit))  # he is still standing there: later
            raise

    def _nearby(self, wish: Wish) -> dict[str, Any]:
        lon, lat = wish.near
        asked = {"lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "radius_m": RADIUS_M, "stay_minutes": wish.minutes}
        phone = Phone(self._api_url, wish.phone)
        try:
            found: dict[str, Any] = phone.ask("GET", "/api/v1/lots/nearby", params=asked).json()
        finally:
            phone.close()
        return found

    def _ask(self, path: str, space: str, visit: str) -> bool:
        """Knock at the simulator's door; whether it was done."""
        try:
            answer = self._door.post(path, json={"space": space, "visit": visit})
        except httpx.HTTPError as error:
            raise NotNowError(repr(error)) from error
        if not answer.is_success and answer.status_code not in _TAKEN:
            raise NotNowError(f"{answer.status_code} {answer.text[:200]}")
        return answer.is_success


def _rank(properties: Mapping[str, Any]) -> int:
    rank: int = properties["rank"]
    return rank


def _corner(geometry: Mapping[str, Any]) -> Place:
    """Some position of a geometry."""
    value: Sequence[Any] = geometry["coordinates"]
    while not isinstance(value[0], (int, float)):
        value = value[0]
    return float(value[0]), float(value[1])
