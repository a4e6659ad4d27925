"""The tables as the live city needs them: everything once, then only what was written since."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from opening_hours import validate
from sqlalchemy import BigInteger, Row, Text, cast, func, literal, select, type_coerce, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from api.live_city.city import TREND_MS, CountReport, SpaceReport, Turnover
from api.live_city.picture import FREE, OCCUPIED, UNKNOWN
from api.live_city.registry import CityEntry, LotEntry, Registry, SpaceEntry, search_keys
from core.clock import milliseconds
from core.geo import bounds_of
from core.sensor import silent_after_ms
from core.tables import Assignment, City, Context, Lot, LotCount, ParkingSession, Sensor, Space, SpaceState

log = structlog.get_logger()

LETTER_OF: Final = {"free": FREE, "occupied": OCCUPIED, "unknown": UNKNOWN}


async def load_registry(db: AsyncConnection, at: datetime) -> Registry:
    """All lots and spaces that are not retired, with the sensor that watches each space at ``at``."""
    lots = (await db.execute(_LOTS)).all()
    spaces = (await db.execute(_spaces_watched(at))).all()
    index_of = {row.id: index for index, row in enumerate(lots)}
    positions: list[list[int]] = [[] for _ in lots]
    entries: list[SpaceEntry] = []
    for row in spaces:
        lot = index_of.get(row.lot_id)
        if lot is None:
            continue  # its lot is retired
        positions[lot].append(len(entries))
        entries.append(_space(row, lot))
    return Registry(
        lots=tuple(_lot(row, positions[index]) for index, row in enumerate(lots)),
        spaces=tuple(entries),
        city=await _load_city(db),
    )


async def fetch_horizon(db: AsyncConnection) -> int:
    """The oldest transaction still running: whatever is committed later carries this number or a higher one.

    Ask before reading: then reading from the number of last time misses nothing.
    """
    return (await db.execute(select(_HORIZON))).scalar_one()


async def load_states(db: AsyncConnection, since: int = 0) -> list[SpaceReport]:
    """Where spaces stand that were written by transactions from ``since`` on; 0 gives all of them."""
    states = select(SpaceState.space_id, SpaceState.occupancy, SpaceState.last_heard_at, SpaceState.changed_at)
    rows = await db.execute(states.where(SpaceState.written_xid >= since) if since else states)
    return [
        SpaceReport(
            space_id=row.space_id,
            occupancy=LETTER_OF[row.occupancy],
            heard_ms=_ms(row.last_heard_at),
            changed_ms=_ms(row.changed_at),
        )
        for row in rows
    ]


async def load_counts(db: AsyncConnection) -> list[CountReport]:
    """The newest count of every lot that only counts; one that came late is as old as it says it is."""
    heard = func.least(LotCount.observed_at, LotCount.last_heard_at).label("heard_at")
    rows = await db.execute(select(LotCount.lot_id, LotCount.occupied, heard))
    return [CountReport(lot_id=row.lot_id, occupied=row.occupied, heard_ms=milliseconds(row.heard_at)) for row in rows]


async def load_turnover(db: AsyncConnection, at: datetime) -> list[Turnover]:
    """Vehicles that came or went in the quarter of an hour before ``at``, by the sessions."""
    since = at - timedelta(milliseconds=TREND_MS)
    came = _moves(ParkingSession.entered_at, 1, since, at)
    went = _moves(ParkingSession.left_at, -1, since, at)
    rows = await db.execute(union_all(came, went))
    return [Turnover(lot_id=row.lot_id, at_ms=milliseconds(row.at), step=row.step) for row in rows]


def _moves(column: Any, step: int, since: datetime, at: datetime) -> Any:
    sessions = select(Space.lot_id, column.label("at"), literal(step).label("step")).join(
        ParkingSession, ParkingSession.space_id == Space.id
    )
    # a session that began more than a week ago and ended just now is rare enough to be left out of a trend
    recent = ParkingSession.entered_at >= since - timedelta(days=7)
    return sessions.where(recent, column >= since, column < at, ParkingSession.status != "void")


_HORIZON = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)

_LOTS = (
    select(
        Lot.id,
        Lot.code,
        Lot.name,
        Lot.name_en,
        Lot.kind,
        Lot.source,
        Lot.capacity,
        Lot.tariff,
        Lot.operator,
        Lot.opening_hours,
        Lot.zone,
        Lot.entrances,
        Lot.min_stay_seconds,
        type_coerce(cast(Lot.geometry, Text), Text).label("geometry"),
    )
    .where(Lot.retired_at.is_(None))
    .order_by(Lot.code)
)


def _spaces_watched(at: datetime) -> Any:
    watching = (Assignment.space_id == Space.id) & Assignment.during.contains(at)
    return (
        select(
            Space.id,
            Space.code,
            Space.lot_id,
            Space.category,
            Space.closed_since,
            Sensor.heartbeat_seconds,
            type_coerce(cast(Space.geometry, Text), Text).label("geometry"),
        )
        .outerjoin(Assignment, watching)
        .outerjoin(Sensor, Sensor.id == Assignment.sensor_id)
        .where(Space.retired_at.is_(None))
        .order_by(Space.id)
    )


async def _load_city(db: AsyncConnection) -> CityEntry:
    outline = func.nullif(cast(City.geometry, Text), "null")  # unknown bounds may be stored as JSON's own null
    city = (await db.execute(select(City.name, City.name_en, City.attribution, outline.label("geometry")))).first()
    context = await db.execute(
        select(Context.name, Context.what, cast(Context.geometry, Text).label("geometry")).order_by(Context.id)
    )
    return CityEntry(
        name=city.name if city else "",
        name_en=city.name_en if city else None,
        outline=_raw(city.geometry) if city and city.geometry else None,
        attribution=(city.attribution if city else None) or "",
        context=tuple((row.name, row.what, _raw(row.geometry)) for row in context),
    )


def _lot(row: Row[Any], positions: Sequence[int]) -> LotEntry:
    geometry = msgspec.json.decode(row.geometry)
    hours = row.opening_hours
    if not validate(hours):
        log.warning("opening_hours.unreadable", lot_id=row.code, opening_hours=hours)
        hours = "24/7"
    return LotEntry(
        id=row.id,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        kind=row.kind,
        source=row.source,
        capacity=len(positions) if row.source == "sensors" else row.capacity,
        tariff=row.tariff,
        operator=row.operator,
        opening_hours=hours,
        zone=ZoneInfo(row.zone),
        entrances=tuple((lon, lat) for lon, lat, *_ in row.entrances),
        geometry=_raw(row.geometry),
        bounds=bounds_of(geometry) or (0.0, 0.0, 0.0, 0.0),
        min_stay_seconds=row.min_stay_seconds,
        keys=search_keys(row.name),
        positions=tuple(positions),
    )


def _space(row: Row[Any], lot: int) -> SpaceEntry:
    heartbeat = row.heartbeat_seconds
    return SpaceEntry(
        id=row.id,
        code=row.code,
        lot=lot,
        category=row.category,
        closed=row.closed_since is not None,
        limit_ms=silent_after_ms(heartbeat) if heartbeat else None,
        geometry=_raw(row.geometry),
    )


def _raw(geometry: str) -> msgspec.Raw:
    """Encoded GeoJSON without the blanks that PostgreSQL writes into it; none of its words contains one."""
    return msgspec.Raw(geometry.replace(" ", "").encode())


def _ms(at: datetime | None) -> int | None:
    return None if at is None else milliseconds(at)
