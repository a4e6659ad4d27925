"""Which sensors a simulated county has: the spaces of a city file, as far as a sensor cares. Pure.

This reader knows the few properties a sensor needs. Whether the file is a right one is the import's question; here
a file that cannot be used is refused with the place and the reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from core.clock import milliseconds
from core.errors import InvalidError
from core.wire import is_sensor_id
from simulator.dice import Dice, key_of
from simulator.rhythms import Rhythm, rhythm_of

NATIVE = "native"
HEARTBEAT_SECONDS = 3_600
SHORTEST_STAY_SECONDS = 60
SHORTEST_GAP_SECONDS = 45
"""Well above the 20 s below which a lot takes a stay or a gap for flapping: a true stay is never hidden by that."""
_MARGIN_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One space, the sensor in it, and the life around it."""

    space: str
    sensor: str
    lot: str
    tariff: str | None
    heartbeat_ms: int
    installed_ms: int | None
    shortest_stay_ms: int
    shortest_gap_ms: int
    rhythm: Rhythm
    busyness: float
    """Factor on the rhythm's arrivals: places and neighbours differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensedCity:
    """What a simulation drives, sorted by space code."""

    name: str
    watched: tuple[Watched, ...]
    silent: int
    """Sensors of makes that are not simulated: they send nothing and are not in the truth."""

    @property
    def digest(self) -> str:
        """Stands for the city in a truth file: which sensor watches which space of which lot at which tariff."""
        lines = (f"{w.space}\t{w.sensor}\t{w.lot}\t{w.tariff or ''}\n" for w in self.watched)
        return sha256("".join(lines).encode()).hexdigest()


def read_city(document: bytes | Mapping[str, Any]) -> SensedCity:
    """The sensors of a city file.

    Raises:
        InvalidError: it is no city file, or one of its spaces names no lot of it.
    """
    with refusing_bad_files():
        return _read(properties_by_kind(document))


def properties_by_kind(document: bytes | Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The properties of all features of a city file by their kind; no kind of interest here is missing."""
    city = _decode(document) if isinstance(document, bytes) else document
    by_kind: dict[str, list[Mapping[str, Any]]] = {"city": [], "lot": [], "space": []}
    for feature in city["features"]:
        properties = feature.get("properties") or {}
        by_kind.setdefault(str(properties.get("kind")), []).append(properties)
    return by_kind


@contextmanager
def refusing_bad_files() -> Iterator[None]:
    """Say in one way that a file cannot be used."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidError(
            f"this is no usable city file ({type(error).__name__}: {error}); `parking city check` says what is wrong"
        ) from error


def busyness_of(lot: str) -> float:
    """How much busier than its kind a lot is, by its code."""
    return 0.7 + 0.8 * Dice(key_of("lot", lot)).uniform()


def _read(by_kind: Mapping[str, Sequence[Mapping[str, Any]]]) -> SensedCity:
    lots = {str(lot["code"]): lot for lot in by_kind["lot"]}
    sensed = [space for space in by_kind["space"] if space.get("sensor_id")]
    native = [space for space in sensed if space.get("codec", NATIVE) == NATIVE]
    if not native:
        raise InvalidError("this city has no space with a sensor of codec 'native': there is nothing to simulate")
    return SensedCity(
        name=str(by_kind["city"][0].get("name", "")) if by_kind["city"] else "",
        watched=tuple(sorted(_watched(native, lots), key=lambda w: w.space)),
        silent=len(sensed) - len(native),
    )


def _decode(document: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidError(f"the city file is not JSON: {error}") from error


def _watched(spaces: Sequence[Mapping[str, Any]], lots: Mapping[str, Mapping[str, Any]]) -> Iterable[Watched]:
    lot_busyness = {code: busyness_of(code) for code in lots}
    for space in spaces:
        code, lot_code = str(space["code"]), str(space["lot"])
        lot = lots.get(lot_code)
        if lot is None:
            raise InvalidError(f"space {code!r} belongs to lot {lot_code!r}, which this city file does not have")
        if not is_sensor_id(str(space["sensor_id"])):
            raise InvalidError(f"space {code!r}: {space['sensor_id']!r} cannot be a sensor's id")
        dice = Dice(key_of("space", code))
        yield Watched(
            space=code,
            sensor=str(space["sensor_id"]),
            lot=lot_code,
            tariff=lot.get("tariff"),
            heartbeat_ms=int(space.get("heartbeat_seconds", HEARTBEAT_SECONDS)) * 1_000,
            installed_ms=_installed_ms(space.get("installed_at"), code),
            shortest_stay_ms=_at_least(SHORTEST_STAY_SECONDS, lot.get("min_stay_seconds")),
            shortest_gap_ms=_at_least(SHORTEST_GAP_SECONDS, lot.get("min_gap_seconds")),
            rhythm=rhythm_of(
                lot_kind=str(lot.get("lot_kind")),
                names=f"{lot.get('name', '')} {lot.get('name_en', '')}",
                chance=dice.uniform(),
            ),
            busyness=lot_busyness[lot_code] * (0.75 + 0.5 * dice.uniform()),
        )


def _at_least(seconds: int, lots_own: int | None) -> int:
    return max(seconds, (lots_own or 0) + _MARGIN_SECONDS) * 1_000


def _installed_ms(text: str | None, code: str) -> int | None:
    if text is None:
        return None
    try:
        return milliseconds(datetime.fromisoformat(text))
    except (ValueError, TypeError) as error:
        raise InvalidError(f"space {code!r}: installed_at is no instant with an offset: {text!r}") from error
