"""A city in a few words: what its description file (TOML) may say, checked when it is read. Pure."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.city.problems import nearest
from core.errors import InvalidError
from core.wire import Envelope

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Point = tuple[Longitude, Latitude]
"""Longitude, latitude, WGS-84."""
Line = Annotated[list[Point], Field(min_length=2)]
Ring = Annotated[list[Point], Field(min_length=3)]
"""Corners in order; it is closed by itself."""
Metres = Annotated[float, Field(gt=0, le=2_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,5}$")]


class Part(BaseModel):
    """What all parts of a description share: no unknown words."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CityPart(Part):
    """``[city]``: the whole place."""

    name: str
    name_en: str | None = None
    centre: Point
    outline: str
    """A GeoJSON file beside the description; its first polygon bounds the city."""
    attribution: str
    """Whom to credit for the data."""


class TownPart(Part):
    """``[town]``: where minor streets are invented between the streets that are listed."""

    outline: Ring
    block_metres: Metres = 170
    """Side of the blocks that the minor streets leave."""
    seed: int = 1


class Section(Part):
    """A stretch of a street that has a name."""

    name: str
    near: Point
    metres: Metres


class StreetPart(Part):
    """``[[streets]]``: a street by its centre line."""

    id: str
    line: Line
    width: Metres = 10
    """Of the carriageway, kerb to kerb, without the spaces."""
    name: str | None = None
    sections: list[Section] = []


class SurfacePart(Part):
    """``[[surfaces]]``: water, a green or a square, by its outline or by a line of some width."""

    what: Literal["water", "green", "square"]
    name: str | None = None
    outline: Ring | None = None
    line: Line | None = None
    width: Metres = 40


class AreasPart(Part):
    """``[areas]``: townships, grids and streets."""

    townships: str | None = None
    """A GeoJSON file of named points beside the description: each place gets what lies nearest to it."""
    townships_note: str = ""
    """Put behind each name."""
    grids: list["GridPart"] = []
    streets: list["StripPart"] = []


class GridPart(Part):
    """Grids cut from a four-cornered piece of land, ``columns`` along its first side."""

    code: Code
    name: str
    """With ``{n}`` for the number."""
    corners: Annotated[list[Point], Field(min_length=4, max_length=4)]
    columns: int = Field(ge=1, le=50)
    rows: int = Field(ge=1, le=50)


class StripPart(Part):
    """A named stretch of a street as an area: everything within ``metres`` of its centre line."""

    code: Code
    name: str
    metres: Metres = 35


class Shares(Part):
    """Which part of a lot's spaces is marked for whom; the rest is standard."""

    accessible: Share = 0
    ev_charging: Share = 0
    large: Share = 0
    motorcycle: Share = 0


class LotPart(Part):
    """What lots of every shape have."""

    code: Code
    """Also begins the codes of its spaces: ``WT-001``."""
    name: str
    name_en: str
    tariff: str | None = None
    operator: str | None = None
    opening_hours: str | None = None


class SpacesPart(LotPart):
    """What lots with single spaces have."""

    spaces: int = Field(ge=1, le=5_000)
    shares: Shares = Shares()
    sensors: Literal["dev-eui", "imei"] = "dev-eui"
    codec: str = "native"
    envelope: Envelope | None = None
    """Through which network server or carrier its sensors speak; only the simulator asks."""
    heartbeat_seconds: int = Field(3600, ge=60, le=86_400)


class KerbPart(SpacesPart):
    """``[[kerbs]]``: spaces along a street, from the point on outwards."""

    near: Point
    street: str | None = None
    """Id of the street; without it the nearest one."""
    side: Literal["right", "left", "both"] = "right"
    """Right as seen along the street's line."""
    angle: Literal[0, 45, 60, 90] = 0
    """Between the kerb and a space: 0 is parallel parking."""


class RowsPart(SpacesPart):
    """``[[car_parks]]``: rows of spaces with aisles between them, centred on a point."""

    at: Point
    bearing: float = Field(90, ge=0, lt=360)
    """Of the rows: degrees clockwise from north."""
    rows: int = Field(2, ge=1, le=60)


class CounterPart(LotPart):
    """``[[counters]]``: a car park that only counts."""

    at: Point
    capacity: int = Field(ge=1, le=100_000)


class Defaults(Part):
    """``[defaults]``: what lots have that do not say otherwise."""

    tariff: str
    operator: str | None = None
    opening_hours: str = "24/7"


class Description(Part):
    """A whole description file."""

    city: CityPart
    town: TownPart
    defaults: Defaults
    areas: AreasPart = AreasPart()
    streets: list[StreetPart] = []
    surfaces: list[SurfacePart] = []
    kerbs: list[KerbPart] = []
    car_parks: list[RowsPart] = []
    counters: list[CounterPart] = []


def read_description(path: Path) -> Description:
    """The description in a TOML file.

    Raises:
        InvalidError: it cannot be read, is no TOML, or says something unknown; names the place and the nearest word.
    """
    try:
        return Description.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidError(f"{path.name} cannot be read: {error}") from error
    except ValidationError as error:
        found = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")  # a typo explains the rest
        faults = [_fault(fault["loc"], fault["type"], fault["msg"]) for fault in found]
        raise InvalidError(f"{path.name}: {faults[0]}", faults=faults) from error


def _fault(place: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(str(step) for step in place)
    meant = nearest(str(place[-1]), _known_words()) if kind == "extra_forbidden" and place else None
    return f"{where}: {message}" + (f"; is it {meant}?" if meant else "")


def _known_words() -> Iterator[str]:
    for part in _parts(Part):
        yield from part.model_fields


def _parts(part: type[Part]) -> Iterator[type[Part]]:
    for further in part.__subclasses__():
        yield further
        yield from _parts(further)
