"""Streets: those of a description, and the invented minor ones that cut the land between them into blocks. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import shapely
from shapely.affinity import scale
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import polygonize, split, substring, unary_union

from simulator.cities.description import StreetPart, TownPart
from simulator.cities.plane import Plane

MINOR_WIDTH = 7.0
_TRIES = tuple(
    (lengthwise, share)
    for lengthwise in (False, True)
    for share in (0.0, 0.08, -0.08, 0.16, -0.16, 0.24, -0.24, 0.3, -0.3)
)
"""How to cut a block until nothing is in the way: along its long way or across, at which share from the middle."""
_SLIMMEST_CUT_METRES = 40.0
_OVERLAP_METRES = 2.0
"""A cut is made a little longer than the block, or rounding would leave it short of the edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A street on the plane of metres."""

    id: str
    line: LineString
    width: float
    name: str | None
    sections: tuple[tuple[str, LineString], ...] = ()
    """Stretches with a name of their own."""

    def carriageway(self, margin: float = 0.0) -> BaseGeometry:
        """What it covers, and ``margin`` metres to both sides."""
        return self.line.buffer(self.width / 2 + margin, cap_style="flat", join_style="mitre")

    def named(self) -> Iterator[tuple[str | None, LineString]]:
        """The street in stretches, each with its name."""
        rest: BaseGeometry = self.line
        for name, stretch in self.sections:
            yield name, stretch
            rest = rest.difference(stretch.buffer(0.5, cap_style="flat"))
        for part in shapely.get_parts(rest):
            if isinstance(part, LineString) and part.length > 1:
                yield self.name, part


def listed_streets(parts: Sequence[StreetPart], plane: Plane) -> list[Street]:
    """The streets of a description."""
    return [_street(part, plane) for part in parts]


def invented_streets(town: TownPart, streets: Sequence[Street], taken: BaseGeometry, plane: Plane) -> list[Street]:
    """Minor streets inside the town: its land between ``streets`` is halved until blocks are small enough.

    Args:
        town: its outline, the wished side of a block, and the seed.
        streets: already there; a minor street begins and ends at one of them or at another minor one.
        taken: water, greens, squares and car parks, which no minor street crosses.
        plane: the plane of metres.
    """
    outline = Polygon(plane.points(town.outline))
    edges = unary_union([outline.exterior, *(street.line for street in streets)])
    random = Random(town.seed)
    shapely.prepare(taken)
    minors: list[LineString] = []
    for land in sorted(polygonize(edges), key=lambda block: block.representative_point().coords[0]):
        if outline.contains(land.representative_point()):
            minors.extend(_cuts(land, town.block_metres**2, taken, random))
    return [Street(id=f"minor-{n}", line=line, width=MINOR_WIDTH, name=None) for n, line in enumerate(minors, 1)]


def _street(part: StreetPart, plane: Plane) -> Street:
    line = LineString(plane.points(part.line))
    sections = []
    for section in part.sections:
        middle = line.project(Point(plane.point(*section.near)))
        stretch = substring(line, max(middle - section.metres / 2, 0), min(middle + section.metres / 2, line.length))
        if isinstance(stretch, LineString):
            sections.append((section.name, stretch))
    return Street(id=part.id, line=line, width=part.width, name=part.name, sections=tuple(sections))


def _cuts(block: Polygon, enough: float, taken: BaseGeometry, random: Random) -> Iterator[LineString]:
    """The lines that halve a block, and its halves, until each is small enough or nothing fits."""
    if block.area <= enough * random.uniform(1.0, 1.6):
        return
    nudge = random.uniform(-0.05, 0.05)
    for lengthwise, share in _TRIES:
        cut = _cut(block, share + nudge, lengthwise=lengthwise)
        if cut is None or cut.length < _SLIMMEST_CUT_METRES or taken.intersects(cut):
            continue
        overlong = scale(cut, 1 + _OVERLAP_METRES / cut.length, 1 + _OVERLAP_METRES / cut.length)
        halves = [half for half in shapely.get_parts(split(block, overlong)) if half.area > 1]
        if len(halves) == 2 and all(half.area > enough / 4 for half in halves):  # noqa: PLR2004 - two halves
            yield cut
            for half in halves:
                yield from _cuts(half, enough, taken, random)
            return


def _cut(block: Polygon, share: float, *, lengthwise: bool) -> LineString | None:
    """A straight line through a block: across its long way, or along it; ``share`` of the way from the middle."""
    around = block.minimum_rotated_rectangle
    if not isinstance(around, Polygon):
        return None
    box = list(around.exterior.coords)
    first_is_long = math.dist(box[0], box[1]) >= math.dist(box[1], box[2])
    (ax, ay), (bx, by), (cx, cy) = box[:3] if first_is_long is not lengthwise else box[1:4]
    at = 0.5 + share
    start = (ax + (bx - ax) * at, ay + (by - ay) * at)
    line = LineString([start, (start[0] + cx - bx, start[1] + cy - by)])
    pieces = [piece for piece in shapely.get_parts(line.intersection(block)) if isinstance(piece, LineString)]
    return max(pieces, key=lambda piece: piece.length, default=None)
