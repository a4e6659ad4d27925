"""What changes only by an import or an operator: lots and spaces in the order of ``/spaces``. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from opening_hours import OpeningHours
from pypinyin import Style, lazy_pinyin

from core.geo import Bounds, Position

COUNT_LIMIT_MS: Final = 15 * 60_000
"""A counter or feed whose newest count is older than this is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LotEntry:
    """A lot as the map needs it."""

    id: int
    code: str
    name: str
    name_en: str | None
    kind: str
    source: str
    capacity: int
    """Stated for a counter or feed, the number of spaces otherwise."""
    tariff: str | None
    operator: str | None
    opening_hours: str
    zone: ZoneInfo
    entrances: tuple[Position, ...]
    geometry: msgspec.Raw
    """GeoJSON, WGS-84, already encoded."""
    bounds: Bounds
    min_stay_seconds: int
    keys: tuple[str, ...]
    """What a person may type to find it, beside its names: pinyin in full and its initials."""
    positions: tuple[int, ...]
    """Its spaces by their place in the order of ``/spaces``."""

    @property
    def estimated(self) -> bool:
        """Whether it only counts vehicles, so that its numbers are an estimate."""
        return self.source != "sensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceEntry:
    """A space as the map needs it; its place in the order is its index."""

    id: int
    code: str
    lot: int
    """Index of its lot."""
    category: str
    closed: bool
    limit_ms: int | None
    """Not heard for longer than this, it is unknown; None when no sensor watches it."""
    geometry: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class CityEntry:
    """The frame around the map."""

    name: str = ""
    name_en: str | None = None
    outline: msgspec.Raw | None = None
    attribution: str = ""
    """Whom to credit for the data."""
    context: tuple[tuple[str, str, msgspec.Raw], ...] = ()
    """Name, what it is, geometry."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Registry:
    """All lots and spaces at one moment, compared by identity. Order: lots by code, spaces by their small integer."""

    lots: tuple[LotEntry, ...] = ()
    spaces: tuple[SpaceEntry, ...] = ()
    city: CityEntry = CityEntry()
    lot_at: dict[str, int] = field(init=False)
    """Index of a lot by its code."""
    space_at: dict[str, int] = field(init=False)
    """Place of a space by its printed code."""
    position_of: dict[int, int] = field(init=False)
    """Place of a space by its small integer."""
    lot_index: dict[int, int] = field(init=False)
    """Index of a lot by its small integer."""

    def __post_init__(self) -> None:
        """Build the ways to find things."""
        object.__setattr__(self, "lot_at", {lot.code: index for index, lot in enumerate(self.lots)})
        object.__setattr__(self, "space_at", {space.code: n for n, space in enumerate(self.spaces)})
        object.__setattr__(self, "position_of", {space.id: n for n, space in enumerate(self.spaces)})
        object.__setattr__(self, "lot_index", {lot.id: index for index, lot in enumerate(self.lots)})


class Opening:
    """When a lot is open, by its opening hours in OpenStreetMap's syntax; asks the rules only when they change."""

    __slots__ = ("_hours", "_is_open", "_until", "_zone")

    def __init__(self, lot: LotEntry) -> None:
        """Read the hours; the country, whose public holidays they may name, is found from where the lot lies."""
        lon, lat = (lot.bounds[0] + lot.bounds[2]) / 2, (lot.bounds[1] + lot.bounds[3]) / 2
        self._zone = lot.zone
        self._hours = OpeningHours(
            lot.opening_hours, timezone=lot.zone, coords=(lat, lon), auto_country=True, auto_timezone=False
        )
        self._until: datetime | None = None
        self._is_open = True

    def open_at(self, now: datetime) -> bool:
        """Whether it is open; hours that depend on something unknown ("by appointment") count as open."""
        if self._until is None or now >= self._until:
            local = now.astimezone(self._zone)
            self._is_open = not self._hours.is_closed(local)
            self._until = self.next_change(now) or datetime.max.replace(tzinfo=now.tzinfo)
        return self._is_open

    def next_change(self, now: datetime) -> datetime | None:
        """When it next opens or closes, aware; None when it never does."""
        return self._hours.next_change(now.astimezone(self._zone))


def search_keys(name: str) -> tuple[str, ...]:
    """Pinyin of a Chinese name in full and its initials, lower case: ``wentilu``, ``wtl``."""
    full = "".join(lazy_pinyin(name, errors=_plain))
    initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors=_plain))
    return tuple(dict.fromkeys(key.lower() for key in (full, initials) if key and key.lower() != name.lower()))


def _plain(characters: str) -> str:
    """Letters and digits that are no Chinese characters stay, punctuation goes."""
    return "".join(character for character in characters if character.isalnum())
