"""Merging many rows into a table by code, with one statement for each batch.

A batch travels as one JSON parameter, which PostgreSQL unfolds into rows: no statement is compiled for its length, and
rows that are the same already are not written again.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    null,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import TableValuedAlias

from core.tables import Area, Lot, Sensor, Space

Row = dict[str, Any]
BATCH = 5_000


async def merge(
    db: AsyncConnection, statement: ReturningInsert[Any], rows: Sequence[Row], progress: Callable[[int, int], None]
) -> set[str]:
    """Run ``statement`` over all rows; the codes of those that were added or changed.

    ``progress`` is told how many rows are done, and of how many.
    """
    touched: set[str] = set()
    done = 0
    for batch in batches(rows):
        touched.update(await db.scalars(statement, {"rows": batch}))
        done += len(batch)
        progress(done, len(rows))
    return touched


def batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows, some thousand at a time."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def unfolded(**types: Any) -> TableValuedAlias:
    """The statement's parameter ``rows``, a JSON list of objects, as a table ``new`` with these columns."""
    columns = [column(name, kind) for name, kind in types.items()]
    listed = func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
    return listed.table_valued(*columns).render_derived(name="new", with_types=True)


def one_of(code: InstrumentedAttribute[str], codes: Collection[str]) -> ColumnElement[bool]:
    """Whether a code is one of these, however many: they travel as one parameter, not as one each."""
    return code == any_(cast(list(codes), ARRAY(Text)))


def merge_areas() -> ReturningInsert[Any]:
    """Areas whose parents are in the table already."""
    new = unfolded(code=Text, name=Text, level=Text, parent=Text, geometry=JSONB)
    around = select(Area.id, Area.code).subquery()
    rows = select(new.c.code, new.c.name, new.c.level, around.c.id, new.c.geometry)
    names = ["code", "name", "level", "parent_id", "geometry"]
    return _merging(
        insert(Area).from_select(names, rows.select_from(new.outerjoin(around, around.c.code == new.c.parent))), names
    )


def merge_lots() -> ReturningInsert[Any]:
    """Lots; one that was retired comes back, one that exists keeps its zone."""
    texts = ("code", "name", "name_en", "kind", "source", "tariff", "operator", "opening_hours", "zone")
    whole = ("capacity", "min_stay_seconds", "min_gap_seconds")
    documents = ("entrances", "geometry")
    new = unfolded(**dict.fromkeys(texts, Text), **dict.fromkeys(whole, Integer), **dict.fromkeys(documents, JSONB))
    names = [*texts, *whole, *documents]
    statement = insert(Lot).from_select([*names, "retired_at"], select(*(new.c[name] for name in names), null()))
    return _merging(statement, [*(name for name in names if name != "zone"), "retired_at"])


def merge_spaces() -> ReturningInsert[Any]:
    """Spaces of lots that are in the table already; one that was retired comes back."""
    new = unfolded(code=Text, lot=Text, category=Text, geometry=JSONB)
    rows = select(new.c.code, Lot.id, new.c.category, new.c.geometry, null())
    names = ["code", "lot_id", "category", "geometry", "retired_at"]
    return _merging(insert(Space).from_select(names, rows.join_from(new, Lot, Lot.code == new.c.lot)), names)


def merge_sensors() -> ReturningInsert[Any]:
    """Sensors, with how to read them."""
    new = unfolded(code=Text, codec=Text, heartbeat_seconds=Integer)
    names = ["code", "codec", "heartbeat_seconds"]
    return _merging(insert(Sensor).from_select(names, select(*(new.c[name] for name in names)).where(true())), names)


def _merging(statement: Insert, names: Sequence[str]) -> ReturningInsert[Any]:
    """The insert, updating a row of the same code where it differs in one of ``names``; gives the codes written."""
    table, new = statement.table, statement.excluded
    compared = [name for name in names if name != "code"]
    differs = tuple_(*(table.c[name] for name in compared)).is_distinct_from(tuple_(*(new[name] for name in compared)))
    return statement.on_conflict_do_update(
        index_elements=["code"], set_={name: new[name] for name in compared}, where=differs
    ).returning(table.c.code)
