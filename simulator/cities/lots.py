"""Lots on the plane: car parks, kerbs and counters with their spaces, never on top of one another. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring, unary_union

from core.city import Category
from core.errors import InvalidError
from simulator.cities.description import CounterPart, KerbPart, LotPart, RowsPart, SpacesPart
from simulator.cities.layout import Drawn, car_park, categories, kerb_of, kerb_spaces
from simulator.cities.plane import Plane
from simulator.cities.streets import MINOR_WIDTH, Street

_CLEARANCE = 0.05
"""Neighbours share an edge; outlines shrunk by this do not touch."""
_JUNCTION = 8.0
"""No space this near to the carriageway of a crossing street."""
_CANDIDATES = 8
"""Streets that a lane may lead to: the nearest few."""
_THROUGH = 10_000.0
"""Added to the length of a lane that would lead through its own car park."""
_KERB_REACH = 300.0
"""A kerb lot whose nearest street is further away than this was placed wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLot:
    """A lot with its outline and spaces."""

    part: LotPart
    outline: BaseGeometry
    spaces: tuple[Drawn, ...] = ()
    gates: tuple[tuple[Point, Point], ...] = ()
    entrance: Point | None = None
    lane: LineString | None = None
    """From the entrance to the nearest street."""


def draw_car_park(part: RowsPart, plane: Plane) -> DrawnLot:
    """The rows of a car park and the rectangle around them."""
    drawn = car_park(_marks(part), part.rows, plane.point(*part.at), part.bearing)
    return DrawnLot(part=part, outline=drawn.outline, spaces=drawn.spaces, gates=drawn.gates)


def draw_counter(part: CounterPart, plane: Plane) -> DrawnLot:
    """A car park that only counts is a point: that is all that is known of it."""
    point = Point(plane.point(*part.at))
    return DrawnLot(part=part, outline=point, entrance=point)


def with_entrance(lot: DrawnLot, streets: Sequence[Street]) -> DrawnLot:
    """The car park with its entrance at the end of an aisle, the one from which a lane to a street is shortest."""
    lanes = [_lane(gate, turn, lot.outline, streets) for gate, turn in lot.gates]
    lane = min(lanes, key=lambda one: one.length)
    return replace(lot, entrance=Point(lane.coords[0]), lane=lane)


class Kerbs:
    """Fills kerbs one lot after another, keeping clear of all that is there already."""

    def __init__(
        self, streets: Sequence[Street], lanes: Sequence[Street], taken: Sequence[BaseGeometry], plane: Plane
    ) -> None:
        self._streets = {street.id: street for street in streets}
        self._crossings = shapely.STRtree([street.carriageway(_JUNCTION) for street in (*streets, *lanes)])
        self._order = list(self._streets)
        self._taken = list(taken)
        self._plane = plane

    def draw(self, part: KerbPart) -> DrawnLot:
        """The spaces of a kerb lot; it lies along its street as a line.

        Raises:
            InvalidError: the street does not exist or is too short for so many spaces.
        """
        near = Point(self._plane.point(*part.near))
        street = self._street(part, near)
        kerbs = [kerb_of(street.line, street.width, near, right=right) for right in _sides(part)]
        is_free = self._freedom(street)
        spaces = kerb_spaces(kerbs, _marks(part), part.angle, is_free)
        if len(spaces) < part.spaces:
            raise InvalidError(
                f"lot {part.code}: only {len(spaces)} of {part.spaces} spaces fit along {street.name or street.id} "
                f"({street.line.length:.0f} m); give fewer, both sides, or a longer street"
            )
        self._taken.extend(drawn.outline for drawn in spaces)
        outline = _stretch(street.line, spaces)
        return DrawnLot(
            part=part, outline=outline, spaces=tuple(spaces), entrance=outline.interpolate(0.5, normalized=True)
        )

    def _street(self, part: KerbPart, near: Point) -> Street:
        if part.street is not None:
            if part.street not in self._streets:
                raise InvalidError(f"lot {part.code}: there is no street {part.street}")
            return self._streets[part.street]
        street = min(self._streets.values(), key=lambda one: one.line.distance(near))
        if street.line.distance(near) > _KERB_REACH:
            raise InvalidError(f"lot {part.code}: no street within {_KERB_REACH:.0f} m of {part.near}")
        return street

    def _freedom(self, own: Street) -> Callable[[Polygon], bool]:
        """Whether a space of this street touches nothing: no crossing street, no surface, no other space."""
        place = self._order.index(own.id)
        others = shapely.STRtree([*self._taken, own.carriageway(-2 * _CLEARANCE)])

        def is_free(outline: Polygon) -> bool:
            core = outline.buffer(-_CLEARANCE, join_style="mitre")
            crossed = self._crossings.query(core, predicate="intersects")
            return bool((crossed == place).all()) and not len(others.query(core, predicate="intersects"))

        return is_free


def check_clear(lots: Sequence[DrawnLot], streets: Sequence[Street], taken: BaseGeometry) -> Iterator[str]:
    """What is wrong with where car parks stand: on a street, in the water, on one another."""
    roads = unary_union([street.carriageway() for street in streets])
    for place, lot in enumerate(lots):
        if lot.outline.intersects(roads):
            near = min(streets, key=lambda street: street.line.distance(lot.outline))
            yield f"lot {lot.part.code} stands on the street {near.name or near.id}"
        if lot.outline.intersects(taken):
            yield f"lot {lot.part.code} stands in water, a green or a square"
        for other in lots[:place]:
            if lot.outline.intersects(other.outline):
                yield f"lot {lot.part.code} stands on lot {other.part.code}"


def lane_street(lot: DrawnLot) -> Street | None:
    """The lane of a car park as a street."""
    if lot.lane is None:
        return None
    return Street(id=f"lane-{lot.part.code}", line=lot.lane, width=MINOR_WIDTH, name=None)


def _lane(gate: Point, turn: Point, outline: BaseGeometry, streets: Sequence[Street]) -> LineString:
    """From a gate straight out, then to the nearest street that is not behind the car park."""

    def onto(street: Street) -> LineString:
        return LineString([gate, turn, street.line.interpolate(street.line.project(turn))])

    def way(lane: LineString) -> float:
        return lane.length + (_THROUGH if LineString(lane.coords[1:]).distance(outline) < MINOR_WIDTH / 2 else 0.0)

    nearest = np.argsort(shapely.distance(np.array([street.line for street in streets]), turn))[:_CANDIDATES]
    return min((onto(streets[place]) for place in nearest), key=way)


def _marks(part: SpacesPart) -> list[Category]:
    shares = part.shares
    return categories(
        part.spaces,
        (
            (Category.ACCESSIBLE, shares.accessible),
            (Category.EV_CHARGING, shares.ev_charging),
            (Category.LARGE, shares.large),
            (Category.MOTORCYCLE, shares.motorcycle),
        ),
    )


def _sides(part: KerbPart) -> tuple[bool, ...]:
    """Whether each side in use is the right one."""
    return {"right": (True,), "left": (False,), "both": (True, False)}[part.side]


def _stretch(line: LineString, spaces: Sequence[Drawn]) -> LineString:
    """The part of a street's line that the spaces lie along."""
    reached = [line.project(Point(corner)) for drawn in spaces for corner in drawn.outline.exterior.coords]
    stretch = substring(line, min(reached), max(reached))
    return stretch if isinstance(stretch, LineString) else line
