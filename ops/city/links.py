"""Storing in which areas lots and spaces lie."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Integer, delete, insert, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from core.city import Geometry, Level
from core.city.resolving import KnownArea, areas_of
from core.tables import Area, Lot, LotArea, Space, SpaceArea
from ops.city.rows import Row, batches, one_of, unfolded

_Column = InstrumentedAttribute[int]


async def link_lots(db: AsyncConnection, moved: Collection[str] | None) -> None:
    """Bring the areas of lots up to date: of those with these codes, or of all when an area moved (None)."""
    found = await db.execute(select(Lot.id, Lot.geometry).where(_coded(Lot.code, moved)))
    await _link(db, LotArea, LotArea.lot_id, LotArea.area_id, dict(found.tuples().all()))


async def link_spaces(db: AsyncConnection, moved: Collection[str] | None) -> None:
    """As ``link_lots``, for spaces."""
    found = await db.execute(select(Space.id, Space.geometry).where(_coded(Space.code, moved)))
    await _link(db, SpaceArea, SpaceArea.space_id, SpaceArea.area_id, dict(found.tuples().all()))


async def _link(
    db: AsyncConnection,
    link: type[LotArea] | type[SpaceArea],
    place: _Column,
    area: _Column,
    places: dict[int, dict[str, Any]],
) -> None:
    """Write the difference between the links these places have and those they should have."""
    known = [
        KnownArea(id=id_, level=Level(level), parent_id=parent, geometry=_geometry(column))
        for id_, level, parent, column in await db.execute(select(Area.id, Area.level, Area.parent_id, Area.geometry))
    ]
    lie_in = areas_of(known, [_geometry(column) for column in places.values()])
    wanted = {(id_, area_id) for id_, area_ids in zip(places, lie_in, strict=True) for area_id in area_ids}
    there = {(id_, area_id) for id_, area_id in await db.execute(select(place, area)) if id_ in places}
    rows = unfolded(place=Integer, area=Integer)
    gone = delete(link).where(tuple_(place, area).in_(select(rows.c.place, rows.c.area)))
    for batch in batches(_rows(there - wanted)):
        await db.execute(gone, {"rows": batch})
    new = insert(link).from_select([place.key, area.key], select(rows.c.place, rows.c.area))
    for batch in batches(_rows(wanted - there)):
        await db.execute(new, {"rows": batch})


def _coded(code: InstrumentedAttribute[str], moved: Collection[str] | None) -> ColumnElement[bool]:
    return true() if moved is None else one_of(code, moved)


def _rows(links: set[tuple[int, int]]) -> list[Row]:
    return [{"place": place, "area": area} for place, area in sorted(links)]


def _geometry(column: dict[str, Any]) -> Geometry:
    return Geometry(column["type"], column["coordinates"])
