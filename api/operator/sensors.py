"""The sensor registry for people with a login: how sensors are doing, what they watch, and putting that right."""

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.deps import Db, Now, TheParts, Words
from api.door import AnyRole, LoggedIn, role
from api.operator.sensor_shapes import (
    A_TEXT,
    AdoptIn,
    AssignIn,
    FileReportOut,
    NewSensorIn,
    SensorFileIn,
    SensorIn,
    SensorOut,
    SensorsOut,
    SensorStoryOut,
    StrangerOut,
    SwapIn,
    UnassignIn,
    in_path,
    rules_out,
    sensor_out,
    shown,
    story_out,
)
from api.problems import responses
from core.registry import changing, listing
from core.registry.file import write_sensors
from core.registry.importing import import_sensors
from core.roles import Role
from core.sensor import Verdict

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

Registrar = Annotated[LoggedIn, role(Role.OPERATOR)]
STORY_DAYS: Final = 7
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "One row a sensor."}
}


class Filter(StrEnum):
    """What to list by: a verdict, or that there is none."""

    SILENT = Verdict.SILENT.value
    NEVER_HEARD = Verdict.NEVER_HEARD.value
    STUCK = Verdict.STUCK.value
    FLAPPING = Verdict.FLAPPING.value
    LATE = Verdict.LATE.value
    LOW_BATTERY = Verdict.LOW_BATTERY.value
    ONLINE = Verdict.ONLINE.value
    UNASSIGNED = listing.UNASSIGNED


@router.get("/sensors", responses=responses(401, 422))
async def list_sensors(
    db: Db,
    now: Now,
    parts: TheParts,
    words: Words,
    _person: AnyRole,
    *,
    verdict: Annotated[Filter | None, Query(description="Only sensors of which this holds.")] = None,
    lot: Annotated[str | None, Query(max_length=64, pattern=A_TEXT, description="Only those in this lot.")] = None,
    search: Annotated[
        str | None,
        Query(max_length=128, pattern=A_TEXT, description="A part of the sensor's or space's code, maker or model."),
    ] = None,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="How many to leave out.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many to give.")] = 100,
) -> SensorsOut:
    """Sensors, the worst verdict first; how many there are of each verdict, and by which rule."""
    wanted = listing.Wanted(
        verdict=verdict.value if verdict else None, lot=lot, search=search, offset=offset, limit=limit
    )
    counts = await listing.count_verdicts(db, now=now)
    rows = await listing.list_sensors(db, wanted, now=now)
    return SensorsOut(
        total=await listing.count_sensors(db, wanted, now=now),
        verdicts=rules_out(counts, parts.settings.verdict_rules, words),
        unassigned=counts[listing.UNASSIGNED],
        sensors=[SensorOut.model_validate(sensor_out(row)) for row in rows],
    )


@router.get("/sensors.csv", responses={**responses(401), **CSV}, response_class=Response)
async def export_sensors(db: Db, now: Now, _person: AnyRole) -> Response:
    """Every sensor and what it watches now, as a file that can be imported again."""
    rows = await listing.list_sensors(db, listing.Wanted(), now=now)
    content = write_sensors(sorted(rows, key=lambda row: str(row["code"])))
    return Response(
        content, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="sensors.csv"'}
    )


@router.post("/sensors", status_code=201, responses=responses(401, 403, 409, 422))
async def add_sensor(body: NewSensorIn, person: Registrar, db: Db, now: Now) -> SensorStoryOut:
    """Register a sensor; it watches nothing yet."""
    await changing.add_sensor(db, body.entry(body.sensor_id), person, now=now)
    return await _story(db, body.sensor_id, now)


@router.post("/sensors/import", responses=responses(401, 403, 422))
async def import_file(body: SensorFileIn, person: Registrar, db: Db, now: Now) -> FileReportOut:
    """Make the sensors that a file lists what it says of them; on any error nothing is changed.

    What is wrong is told line by line in `facts.problems`.
    """
    report = await import_sensors(db, body.csv.encode("utf-8", "replace"), person, now=now)
    return FileReportOut(
        added=report.added,
        changed=report.changed,
        unchanged=report.unchanged,
        assigned=report.assigned,
        unassigned=report.unassigned,
    )


@router.get("/sensors/{sensor_id}", responses=responses(401, 404, 422))
async def read_sensor(
    sensor_id: Annotated[str, in_path("001001170008103")],
    db: Db,
    now: Now,
    _person: AnyRole,
    days: Annotated[int, Query(ge=1, le=3_650, description="How far back its history goes.")] = STORY_DAYS,
) -> SensorStoryOut:
    """One sensor: what it watched, how it did, what it said of itself."""
    return await _story(db, sensor_id, now, days)


@router.put("/sensors/{sensor_id}", responses=responses(401, 403, 404, 422))
async def change_sensor(
    sensor_id: Annotated[str, in_path("001001170008103")],
    body: SensorIn,
    person: Registrar,
    db: Db,
    now: Now,
) -> SensorStoryOut:
    """Change what the registry keeps of a sensor; refused messages that another codec can read are taken in."""
    await changing.change_sensor(db, body.entry(sensor_id), person, now=now)
    return await _story(db, sensor_id, now)


@router.post("/sensors/{sensor_id}/assign", responses=responses(401, 403, 404, 409, 422))
async def assign_sensor(
    sensor_id: Annotated[str, in_path("001001170008129")],
    body: AssignIn,
    person: Registrar,
    db: Db,
    now: Now,
) -> SensorStoryOut:
    """Let a sensor watch a space from an instant on; readings and sessions follow, also those of the past."""
    await changing.assign(db, sensor_id, body.space_code, person, at=body.at or now, now=now)
    return await _story(db, sensor_id, now)


@router.post("/sensors/{sensor_id}/unassign", responses=responses(401, 403, 404, 409, 422))
async def unassign_sensor(
    sensor_id: Annotated[str, in_path("001001170008111")],
    body: UnassignIn,
    person: Registrar,
    db: Db,
    now: Now,
) -> SensorStoryOut:
    """Let a sensor watch nothing from an instant on; readings it sent later are refused and kept."""
    await changing.unassign(db, sensor_id, person, at=body.at or now, now=now)
    return await _story(db, sensor_id, now)


@router.post("/sensors/{sensor_id}/swap", responses=responses(401, 403, 404, 409, 422))
async def swap_sensor(
    sensor_id: Annotated[str, in_path("001001170008137")],
    body: SwapIn,
    person: Registrar,
    db: Db,
    now: Now,
) -> SensorStoryOut:
    """Let another sensor take over this one's space; the past stays. The answer is the new sensor."""
    entry = replace(await changing.fetch_entry(db, sensor_id), code=body.new_sensor_id, note=None)
    await changing.swap(db, sensor_id, entry, person, at=body.at or now, now=now)
    return await _story(db, body.new_sensor_id, now)


@router.get("/unknown-senders", responses=responses(401, 422))
async def list_strangers(
    db: Db,
    _person: AnyRole,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many to give.")] = 100,
) -> list[StrangerOut]:
    """Who sends readings without being registered, the newest first; what they sent is kept."""
    return [StrangerOut.model_validate(shown(row)) for row in await listing.list_strangers(db, limit=limit)]


@router.post("/unknown-senders/{sensor_id}/adopt", status_code=201, responses=responses(401, 403, 404, 409, 422))
async def adopt_stranger(
    sensor_id: Annotated[str, in_path("70b3d5e75e001a31")],
    body: AdoptIn,
    person: Registrar,
    db: Db,
    now: Now,
) -> SensorStoryOut:
    """Register a sender and let it watch a space; what was refused of it since then is taken in."""
    await changing.adopt(db, body.entry(sensor_id), body.space_code, person, at=body.at, now=now)
    return await _story(db, sensor_id, now)


async def _story(db: Db, sensor_id: str, now: Now, days: int = STORY_DAYS) -> SensorStoryOut:
    return story_out(await listing.fetch_story(db, sensor_id, now=now, since=now - timedelta(days=days)))
