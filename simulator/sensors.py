"""Which sensors a simulated county has: the spaces of a city file, as far as a sensor cares. Pure.

This reader knows the few properties a sensor needs. Whether the file is a right one is the import's question; here
a file that cannot be used is refused with the place and the reason.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from core.clock import milliseconds
from core.errors import InvalidError
from core.wire import Envelope, is_sensor_id
from simulator.dice import Dice, key_of
from simulator.makes import MAKES
from simulator.rhythms import Rhythm, rhythm_of

NATIVE = "native"
HEARTBEAT_SECONDS = 3_600
SHORTEST_STAY_SECONDS = 60
SHORTEST_GAP_SECONDS = 45
"""Well above the 20 s below which a lot takes a stay or a gap for flapping: a true stay is never hidden by that."""
_MARGIN_SECONDS = 30
_BELIEVED_SECONDS = 20


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
    codec: str = NATIVE
    envelope: Envelope = Envelope.NATIVE
    min_stay_seconds: int = 20
    min_gap_seconds: int = 20
    """What the lot believes to be a stay, and a gap between two; the evidence is read by these."""

    @property
    def keeps_time(self) -> bool:
        """Whether it dates its readings itself; a network server dates the others."""
        return self.codec == NATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class SensedCity:
    """What a simulation drives, sorted by space code."""

    name: str
    watched: tuple[Watched, ...]
    silent: int
    """Sensors that do not say what they see, or have no DevEUI: they send nothing and are not in the truth."""

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
    telling = [space for space in sensed if _tells(space)]
    if not telling:
        raise InvalidError("this city has no space with a sensor that says whether it is occupied: nothing to simulate")
    return SensedCity(
        name=str(by_kind["city"][0].get("name", "")) if by_kind["city"] else "",
        watched=tuple(sorted(_watched(telling, lots), key=lambda w: w.space)),
        silent=len(sensed) - len(telling),
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
            codec=str(space.get("codec", NATIVE)),
            envelope=_envelope(space, lot_code),
            min_stay_seconds=_seconds(lot.get("min_stay_seconds")),
            min_gap_seconds=_seconds(lot.get("min_gap_seconds")),
        )


_SERVERS = (Envelope.CHIRPSTACK, Envelope.THINGS_STACK, Envelope.THINGPARK)
_CARRIED = {
    Envelope.NBIOT: r"[0-9]{14,16}",
    Envelope.SENML: r".+",
    Envelope.NATIVE: r".+",
}
"""Through which our own format's sensors may speak, and what their ids look like then."""
_DEV_EUI = re.compile(r"[0-9a-f]{16}")


def _tells(space: Mapping[str, Any]) -> bool:
    """Whether a sensor says what it sees: ours do; of the other makes those that a network server can name."""
    codec = space.get("codec", NATIVE)
    return codec == NATIVE or (codec in MAKES and _DEV_EUI.fullmatch(str(space["sensor_id"])) is not None)


def _envelope(space: Mapping[str, Any], lot: str) -> Envelope:
    """How a sensor's messages reach the broker: as the file says; else by its make, one server for each lot."""
    code, sensor, is_native = space["code"], str(space["sensor_id"]), space.get("codec", NATIVE) == NATIVE
    said = space.get("envelope")
    if said is None:
        envelope = Envelope.NATIVE if is_native else _SERVERS[key_of("server", lot) % len(_SERVERS)]
    else:
        known: tuple[Envelope, ...] = tuple(_CARRIED) if is_native else _SERVERS
        if said not in [*known]:
            raise InvalidError(
                f"space {code!r}: its sensor cannot speak through {said!r}; known are {', '.join(known)}"
            )
        envelope = Envelope(said)
    if is_native and re.fullmatch(_CARRIED[envelope], sensor) is None:
        raise InvalidError(f"space {code!r}: {sensor!r} is no IMEI, by which a carrier's platform names a sensor")
    return envelope


def _seconds(lots_own: int | None) -> int:
    return _BELIEVED_SECONDS if lots_own is None else lots_own


def _at_least(seconds: int, lots_own: int | None) -> int:
    return max(seconds, (lots_own or 0) + _MARGIN_SECONDS) * 1_000


def _installed_ms(text: str | None, code: str) -> int | None:
    if text is None:
        return None
    try:
        return milliseconds(datetime.fromisoformat(text))
    except (ValueError, TypeError) as error:
        raise InvalidError(f"space {code!r}: installed_at is no instant with an offset: {text!r}") from error
