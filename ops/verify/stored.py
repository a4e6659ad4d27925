"""What an installation has stored of the spaces and sensors that a truth file speaks of."""

from collections.abc import Iterable, Mapping

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    any_,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from core.clock import instant, milliseconds
from core.tables import Assignment, ParkingSession, ReadingRow, Sensor, Space
from ops.verify.report import Readings, Session
from ops.verify.truth import Truth
from simulator.fingerprint import Fingerprint, reading_hash

_MOST_GAPS = 10

current_bill = table(
    "current_bill",
    column("session_id"),
    column("session_revision", Integer),
    column("total_fen", BigInteger),
    column("fee", JSONB),
)
"""The view: of each session's bills the one that nothing replaces."""


_INPUTS = current_bill.c.fee["inputs"]
_IS_REDUCED = or_(
    *(func.jsonb_array_length(func.coalesce(_INPUTS[kind], cast([], JSONB))) > 0 for kind in ("covers", "coupons"))
)
"""Whether a pass, an exemption or a coupon had a part in the bill; false without a bill."""


async def fetch_watched(db: AsyncConnection, truth: Truth) -> Mapping[str, str]:
    """Sensor by space, as assigned at the truth's last instant, of the truth's spaces that are here."""
    rows = await db.execute(
        select(Space.code, Sensor.code)
        .join(Assignment, Assignment.space_id == Space.id)
        .join(Sensor, Sensor.id == Assignment.sensor_id)
        .where(_is_one_of(Space.code, truth.sensors), Assignment.during.contains(instant(truth.until_ms)))
    )
    return {row[0]: row[1] for row in rows}


async def fetch_sessions(db: AsyncConnection, truth: Truth) -> list[Session]:
    """Sessions of the truth's spaces within its span, void ones included."""
    rows = await db.execute(
        select(
            ParkingSession.id,
            Space.code,
            ParkingSession.status,
            ParkingSession.entered_at,
            ParkingSession.left_at,
            ParkingSession.unsure,
            ParkingSession.unsure_why,
            ParkingSession.revision,
            current_bill.c.total_fen,
            current_bill.c.session_revision,
            _IS_REDUCED.label("is_reduced"),
        )
        .join(Space, Space.id == ParkingSession.space_id)
        .outerjoin(current_bill, current_bill.c.session_id == ParkingSession.id)
        .where(
            _is_one_of(Space.code, truth.sensors),
            ParkingSession.entered_at <= instant(truth.until_ms),
            or_(ParkingSession.left_at.is_(None), ParkingSession.left_at > instant(truth.since_ms)),
        )
    )
    return [
        Session(
            session_id=str(row.id),
            space=row.code,
            status=row.status,
            entered_ms=milliseconds(row.entered_at),
            left_ms=None if row.left_at is None else milliseconds(row.left_at),
            unsure=row.unsure,
            unsure_why=row.unsure_why,
            revision=row.revision,
            billed_fen=row.total_fen,
            billed_revision=row.session_revision,
            is_reduced=row.is_reduced,
        )
        for row in rows
    ]


async def count_readings(db: AsyncConnection, truth: Truth) -> Readings:
    """How many readings are stored; quick."""
    counted = select(func.count()).select_from(ReadingRow).join(Sensor, Sensor.id == ReadingRow.sensor_id)
    return Readings(count=(await db.execute(counted.where(*_in_span(truth)))).scalar_one())


async def fetch_readings(db: AsyncConnection, truth: Truth) -> Readings:
    """The stored readings one by one: their fingerprint, and where numbers are missing."""
    fingerprint, count = Fingerprint(), 0
    seen: dict[str, tuple[int, int]] = {}
    rows = await db.stream(
        select(
            Sensor.code,
            ReadingRow.observed_at,
            ReadingRow.boot,
            ReadingRow.seq,
            ReadingRow.occupancy,
            ReadingRow.kind,
        )
        .join(Sensor, Sensor.id == ReadingRow.sensor_id)
        .where(*_in_span(truth))
    )
    async for sensor, observed_at, boot, seq, occupancy, kind in rows:
        count += 1
        occupied = occupancy == "occupied"
        fingerprint.add(reading_hash(sensor, milliseconds(observed_at), boot, seq, occupied=occupied, kind=kind))
        number, highest = seen.get(sensor, (0, 0))
        seen[sensor] = (number + 1, max(highest, seq))
    gaps = [
        f"{highest - number} of {sensor}'s first {highest}"
        for sensor, (number, highest) in sorted(seen.items())
        if number < highest
    ]
    silent = len(truth.sensors) - len(seen)
    if silent:
        gaps.insert(0, f"all of {silent} sensors")
    return Readings(count=count, fingerprint=str(fingerprint), gaps=gaps[:_MOST_GAPS])


def _is_one_of(code: InstrumentedAttribute[str], codes: Iterable[str]) -> ColumnElement[bool]:
    """One array is one parameter, however many codes there are."""
    return code == any_(literal(list(codes), ARRAY(Text)))


def _in_span(truth: Truth) -> tuple[ColumnElement[bool], ...]:
    return (
        _is_one_of(Sensor.code, truth.sensors.values()),
        ReadingRow.observed_at >= instant(truth.since_ms),
        ReadingRow.observed_at <= instant(truth.until_ms),
    )
