"""In which areas a lot or a space lies: by place, and by the areas around those. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from core.city.geometry import shapes_of
from core.city.model import Geometry, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArea:
    """An area as far as finding places in it goes."""

    id: int
    level: Level
    parent_id: int | None
    geometry: Geometry


def areas_of(areas: Sequence[KnownArea], places: Sequence[Geometry]) -> list[frozenset[int]]:
    """The ids of the areas that each place lies in, at most one of each level.

    A place lies where its middle is. Of several areas of one level it is in the smallest; a level in which no area
    holds it is filled from the parents of the areas that do.
    """
    if not areas or not places:
        return [frozenset()] * len(places)
    outlines = shapes_of([area.geometry for area in areas])
    sizes = shapely.area(outlines)
    middles = shapely.point_on_surface(shapes_of(places))
    found: list[dict[Level, int]] = [{} for _ in places]
    pairs = shapely.STRtree(outlines).query(middles, predicate="intersects")
    smallest_last = np.argsort(-sizes[pairs[1]], kind="stable")
    for place, area in pairs[:, smallest_last].T.tolist():
        found[place][areas[area].level] = areas[area].id
    by_id = {area.id: area for area in areas}
    return [_with_parents(levels, by_id) for levels in found]


def _with_parents(levels: dict[Level, int], by_id: Mapping[int, KnownArea]) -> frozenset[int]:
    for start in sorted(levels.values()):
        parent = by_id[start].parent_id
        while parent is not None and parent in by_id:
            levels.setdefault(by_id[parent].level, parent)
            parent = by_id[parent].parent_id
    return frozenset(levels.values())
