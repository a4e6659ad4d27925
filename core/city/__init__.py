"""A city as one file: its areas, lots, spaces, sensors and the lines under its map, read and checked. Pure.

``parse_city`` turns bytes into a ``CityFile`` or into every problem they have. The format is ``docs/city-file.md``.
"""

from core.city.model import (
    Area,
    Category,
    City,
    CityFile,
    Context,
    Geometry,
    Level,
    Lot,
    LotKind,
    Position,
    Source,
    Space,
    What,
)
from core.city.problems import Problem, Slug
from core.city.read import ParsedCity, parse_city

__all__ = [
    "Area",
    "Category",
    "City",
    "CityFile",
    "Context",
    "Geometry",
    "Level",
    "Lot",
    "LotKind",
    "ParsedCity",
    "Position",
    "Problem",
    "Slug",
    "Source",
    "Space",
    "What",
    "parse_city",
]
