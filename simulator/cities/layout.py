"""How spaces are laid out: in rows with aisles, or along a kerb. Every space is a rectangle in metres. Pure.

Sizes after common practice in China: 2.5 x 5.3 m in a row, 2.2 x 6 m parallel to a kerb, aisles of 6 m.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box

from core.city import Category
from core.errors import InvalidError

AISLE = 6.0
DEPTH = 5.3
PARALLEL_DEPTH = 2.2
MARGIN = 1.0
"""Between the outermost spaces and the edge of the car park."""
TURNING = 5.0
"""How far outside a gate a lane may turn."""
_TOUCH = 0.01
"""Square metres that rounding may make neighbours share."""
_STEP = 1.0
"""How far along the kerb to try again where a space does not fit."""

Shape = TypeVar("Shape", Point, Polygon)

WIDTH = {
    Category.STANDARD: 2.5,
    Category.ACCESSIBLE: 3.6,
    Category.EV_CHARGING: 2.6,
    Category.LARGE: 3.5,
    Category.MOTORCYCLE: 1.2,
}
PARALLEL_LENGTH = {
    Category.STANDARD: 6.0,
    Category.ACCESSIBLE: 7.0,
    Category.EV_CHARGING: 6.0,
    Category.LARGE: 12.0,
    Category.MOTORCYCLE: 1.2,
}
MOTORCYCLE_DEPTH = 2.2


@dataclass(frozen=True, slots=True)
class Drawn:
    """One space on the plane of metres."""

    category: Category
    outline: Polygon


def categories(spaces: int, shares: Sequence[tuple[Category, float]]) -> list[Category]:
    """Whom each of ``spaces`` is marked for: the shares first, each rounded to the nearest whole, then standard."""
    marked = [category for category, share in shares for _ in range(round(share * spaces))]
    return (marked + [Category.STANDARD] * spaces)[:spaces]


@dataclass(frozen=True, slots=True)
class CarPark:
    """Rows of spaces, the rectangle around them, and where its aisles open at its edge."""

    spaces: tuple[Drawn, ...]
    outline: Polygon
    gates: tuple[tuple[Point, Point], ...]
    """Each at the edge, and a little outside, where a lane can turn."""


def car_park(marks: Sequence[Category], rows: int, centre: tuple[float, float], bearing: float) -> CarPark:
    """Spaces in ``rows``: two rows face each aisle, and stand back to back with the next two.

    Args:
        marks: whom each space is marked for, in the order in which rows are filled.
        rows: how many; the spaces are shared evenly.
        centre: of the whole, metres.
        bearing: of the rows, degrees clockwise from north.
    """
    flat: list[Drawn] = []
    north = 0.0
    for row in range(rows):
        own = marks[row * len(marks) // rows : (row + 1) * len(marks) // rows]
        aisle_above = row % 2 == 0
        east = -sum(WIDTH[mark] for mark in own) / 2
        for mark in own:
            depth = MOTORCYCLE_DEPTH if mark is Category.MOTORCYCLE else DEPTH
            near = north + DEPTH - depth if aisle_above else north
            flat.append(Drawn(mark, box(east, near, east + WIDTH[mark], near + depth)))
            east += WIDTH[mark]
        north += DEPTH + (AISLE if aisle_above else 0.0)
    half = max(drawn.outline.bounds[2] for drawn in flat) + MARGIN
    height = north if rows % 2 == 0 else north - AISLE

    def placed(shape: Shape) -> Shape:
        level = affinity.translate(shape, 0.0, -height / 2)
        return affinity.translate(affinity.rotate(level, 90 - bearing, origin=(0, 0)), *centre)

    aisles = [DEPTH + AISLE / 2 + pair * (2 * DEPTH + AISLE) for pair in range(rows // 2)] or [DEPTH + MARGIN]
    return CarPark(
        spaces=tuple(Drawn(drawn.category, placed(drawn.outline)) for drawn in flat),
        outline=placed(box(-half, -MARGIN, half, height + MARGIN)),
        gates=tuple(
            (placed(Point(side * half, aisle)), placed(Point(side * (half + TURNING), aisle)))
            for aisle in aisles
            for side in (-1, 1)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kerb:
    """One side of a street, to be filled from a point outwards."""

    line: LineString
    """The edge of the carriageway, in the direction of traffic on this side: the pavement is on its right."""
    start: float
    """Metres along ``line`` where the filling begins."""


def kerb_of(street: LineString, width: float, near: Point, *, right: bool) -> Kerb:
    """The kerb on the right or left of a street's line.

    Raises:
        InvalidError: the street bends too sharply to have one.
    """
    along = street if right else LineString(list(street.coords)[::-1])
    line = along.offset_curve(-width / 2, join_style="mitre")
    if not isinstance(line, LineString):
        raise InvalidError("a street bends so sharply that its kerb is in pieces; draw it with gentler bends")
    return Kerb(line=line, start=line.project(near))


def kerb_spaces(
    kerbs: Sequence[Kerb], marks: Sequence[Category], angle: int, is_free: Callable[[Polygon], bool]
) -> list[Drawn]:
    """Spaces along kerbs, from their starts outwards, one after another; in the end in walking order.

    Fewer than ``marks`` when the kerbs end before all are placed.

    Args:
        kerbs: the sides of the street in use.
        marks: whom each space is marked for, from the start outwards.
        angle: between the kerb and a space: 0 is parallel, 90 is square.
        is_free: whether an outline touches nothing: a crossing street, water, another lot.
    """
    fronts = [_Front(kerb, ahead) for kerb in kerbs for ahead in (True, False)]
    placed: list[tuple[int, float, Drawn]] = []
    for mark in marks:
        while fronts:
            front = min(fronts, key=lambda one: one.travelled)
            outline = front.next_outline(mark, angle)
            if outline is None:
                fronts.remove(front)
            elif is_free(outline) and not any(overlap(outline, other.outline) for _, _, other in placed):
                placed.append((kerbs.index(front.kerb), front.middle, Drawn(mark, outline)))
                front.advance(mark, angle)
                break
            else:
                front.travelled += _STEP
    return [drawn for _, _, drawn in sorted(placed, key=lambda item: item[:2])]


def overlap(outline: Polygon, other: Polygon) -> bool:
    """Whether two outlines share more than an edge."""
    return outline.intersects(other) and outline.intersection(other).area > _TOUCH


class _Front:
    """Where the filling of a kerb has got to, in one of its two directions."""

    def __init__(self, kerb: Kerb, ahead: bool) -> None:
        self.kerb = kerb
        self.ahead = ahead
        self.travelled = 0.0
        self.middle = 0.0

    def next_outline(self, mark: Category, angle: int) -> Polygon | None:
        """The next space's rectangle; None at the end of the street."""
        half = _pitch(mark, angle) / 2
        way = self.travelled + half
        self.middle = self.kerb.start + (way if self.ahead else -way)
        if not half <= self.middle <= self.kerb.line.length - half:
            return None
        return _at_kerb(self.kerb.line, self.middle, mark, angle)

    def advance(self, mark: Category, angle: int) -> None:
        self.travelled += _pitch(mark, angle)


def _pitch(mark: Category, angle: int) -> float:
    """Metres of kerb that a space takes."""
    if angle == 0:
        return PARALLEL_LENGTH[mark]
    return WIDTH[mark] / math.sin(math.radians(angle))


def _at_kerb(line: LineString, middle: float, mark: Category, angle: int) -> Polygon:
    """The rectangle at a place of the kerb, on its right."""
    reach = PARALLEL_LENGTH[mark] / 2 if angle == 0 else 1.0
    before, after = line.interpolate(middle - reach), line.interpolate(middle + reach)
    heading = math.degrees(math.atan2(after.y - before.y, after.x - before.x))
    here = ((before.x + after.x) / 2, (before.y + after.y) / 2)
    depth = MOTORCYCLE_DEPTH if mark is Category.MOTORCYCLE else PARALLEL_DEPTH if angle == 0 else DEPTH
    length = PARALLEL_LENGTH[mark] if angle == 0 else WIDTH[mark]
    flat = box(-length / 2, -depth, length / 2, 0)
    if angle not in {0, 90}:
        leaning = affinity.rotate(flat, 90 - angle, origin=(0, 0))
        flat = affinity.translate(leaning, 0, -leaning.bounds[3])
    return affinity.translate(affinity.rotate(flat, heading, origin=(0, 0)), *here)


def numbered(code: str, spaces: Sequence[Drawn]) -> Iterator[tuple[str, Drawn]]:
    """Each space with its printed code: ``WT-001``."""
    digits = max(3, len(str(len(spaces))))
    for number, drawn in enumerate(spaces, 1):
        yield f"{code}-{number:0{digits}}", drawn
