"""Storing a city's places: the city and its context, areas, lots and spaces."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.city import Area, CityFile, Problem, Slug
from core.tables import Area as AreaRow
from core.tables import City, Context, Lot, Space
from ops.city.report import Counts, ImportJob
from ops.city.rows import Row, merge, merge_areas, merge_lots, merge_spaces, one_of


@dataclass(frozen=True, slots=True)
class StoredSpace:
    """What the import must know of a space that is there already."""

    lot: str
    is_retired: bool


async def list_spaces(db: AsyncConnection) -> dict[str, StoredSpace]:
    """Every space by its code."""
    found = await db.execute(
        select(Space.code, Lot.code, Space.retired_at.is_not(None)).join(Lot, Lot.id == Space.lot_id)
    )
    return {code: StoredSpace(lot, is_retired) for code, lot, is_retired in found}


def spaces_of_other_lots(city: CityFile, stored: Mapping[str, StoredSpace]) -> list[Problem]:
    """Codes that are already printed on spaces of lots that the file does not list."""
    own = {lot.code for lot in city.lots}
    return [
        Problem(
            slug=Slug.SPACE_OF_ANOTHER_LOT,
            where=f"space {space.code}",
            why=f"this code belongs to a space of lot {there.lot}, which is not in this file",
            cure="Give it another code, or put that lot into the file as well.",
        )
        for space in city.spaces
        if (there := stored.get(space.code)) and not there.is_retired and there.lot not in own
    ]


def in_use_elsewhere(city: CityFile, stored: Mapping[str, StoredSpace]) -> frozenset[str]:
    """Codes of spaces in use that belong to lots the file does not list."""
    own = {lot.code for lot in city.lots}
    return frozenset(code for code, space in stored.items() if space.lot not in own and not space.is_retired)


async def store_city(job: ImportJob) -> None:
    """The name and bounds, and what is drawn under the map; a file without either leaves it as it is."""
    if job.city.city:
        city = job.city.city
        job.report.city = city.name
        names = {"name": city.name, "name_en": city.name_en}
        values = {**names, "geometry": city.bounds.geojson(), "attribution": job.city.attribution}
        await job.db.execute(
            upsert(City).values(id=1, **values).on_conflict_do_update(index_elements=["id"], set_=values)
        )
    if not job.city.contexts:
        return
    drawn = [
        {"name": context.name or "", "what": context.what.value, "geometry": context.geometry.geojson()}
        for context in job.city.contexts
    ]
    there = await job.db.execute(select(Context.name, Context.what, Context.geometry).order_by(Context.id))
    if [dict(row) for row in there.mappings()] != json.loads(json.dumps(drawn)):
        await job.db.execute(delete(Context))
        await job.db.execute(insert(Context), drawn)
        job.report.contexts = len(drawn)


async def store_areas(job: ImportJob) -> bool:
    """Areas, parents before children; whether any is new or different. Areas no longer listed stay."""
    before = set(await job.db.scalars(select(AreaRow.code)))
    touched: set[str] = set()
    for generation in _generations(job.city.areas):
        listed = [
            {
                "code": area.code,
                "name": area.name,
                "level": area.level.value,
                "parent": area.parent,
                "geometry": area.geometry.geojson(),
            }
            for area in generation
        ]
        touched |= await merge(job.db, merge_areas(), listed, partial(job.progress, "areas"))
    job.report.areas = _counts(before, touched, {area.code for area in job.city.areas})
    return bool(touched)


async def store_lots(job: ImportJob) -> set[str]:
    """Lots; the codes of those that are new or different."""
    before = set(await job.db.scalars(select(Lot.code)))
    listed: list[Row] = [
        {
            "code": lot.code,
            "name": lot.name,
            "name_en": lot.name_en,
            "kind": lot.lot_kind.value,
            "source": lot.source.value,
            "capacity": lot.capacity,
            "tariff": lot.tariff,
            "operator": lot.operator,
            "opening_hours": lot.opening_hours,
            "zone": job.zone.key,
            "entrances": lot.entrances,
            "min_stay_seconds": lot.min_stay_seconds,
            "min_gap_seconds": lot.min_gap_seconds,
            "geometry": lot.geometry.geojson(),
        }
        for lot in job.city.lots
    ]
    touched = await merge(job.db, merge_lots(), listed, partial(job.progress, "lots"))
    job.report.lots = _counts(before, touched, {lot.code for lot in job.city.lots})
    return touched


async def store_spaces(job: ImportJob, stored: Mapping[str, StoredSpace]) -> set[str]:
    """Spaces, retiring those that their own lots no longer list; the codes of those that are new or different.

    A retired space keeps its sensor and its history: an open session ends by its readings.
    """
    listed: list[Row] = [
        {
            "code": space.code,
            "lot": space.lot,
            "category": space.category.value,
            "geometry": space.geometry.geojson(),
        }
        for space in job.city.spaces
    ]
    touched = await merge(job.db, merge_spaces(), listed, partial(job.progress, "spaces"))
    codes, lots = {space.code for space in job.city.spaces}, {lot.code for lot in job.city.lots}
    gone = [code for code, there in stored.items() if there.lot in lots and not there.is_retired and code not in codes]
    if gone:
        await job.db.execute(update(Space).where(one_of(Space.code, gone)).values(retired_at=job.now))
    job.report.spaces = _counts(stored.keys(), touched, codes)
    job.report.spaces.retired = len(gone)
    return touched


def _counts(before: Collection[str], touched: set[str], listed: Collection[str]) -> Counts:
    added = sum(code not in before for code in touched)
    return Counts(added=added, changed=len(touched) - added, unchanged=len(listed) - len(touched))


def _generations(areas: Iterable[Area]) -> list[list[Area]]:
    """Areas without parent, then their children, and so on; there is no ring among them."""
    waiting, generations = list(areas), []
    known: set[str | None] = {None}
    while waiting:
        ready = [area for area in waiting if area.parent in known]
        generations.append(ready)
        known.update(area.code for area in ready)
        waiting = [area for area in waiting if area.parent not in known or area.code not in known]
    return generations
