"""The calendar of working days and the decrees that free some: read, corrected, with a trace of who did."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.deps import Db, Now
from api.door import AnyRole, LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.calendar import Holiday
from billing.calendar_table import DayRow, list_days, reset_day, seed_calendar, set_days
from billing.decrees import Decree, decree, end_decree, list_decrees
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/calendar", tags=["operator"])

Finance = Annotated[LoggedIn, role(Role.FINANCE)]
DAY = {"a make-up day": {"value": "2026-02-14"}}
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
Day = Annotated[date, Path(ge=EARLIEST, le=LATEST, description="The local date.", openapi_examples=DAY)]
Code = Annotated[str | None, Field(max_length=64, pattern=r"^[^\x00]+$", examples=[None])]
Reason = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["Spring Festival 2027"])]
SMALLEST, LARGEST = 1, 2**31 - 1


class DayIn(Shape):
    """What a day is."""

    kind: Literal["workday", "rest", "holiday"] = Field(examples=["workday"])
    holiday: Holiday = Field(default="other_holiday", examples=["spring_festival"])
    """Which holiday it belongs to."""
    reason: Reason


class DayOut(Shape):
    """A day that is not simply its weekday, or that somebody decided about."""

    day: str = Field(json_schema_extra={"format": "date"})
    kind: Literal["workday", "rest", "holiday"]
    holiday: str
    source: Literal["library", "operator"]
    reason: str | None
    changed_by: str | None

    @classmethod
    def of(cls, row: DayRow) -> "DayOut":
        """The row in JSON's types."""
        return cls.model_validate(
            {
                "day": row.day.isoformat(),
                "kind": row.kind,
                "holiday": row.name,
                "source": row.source,
                "reason": row.reason,
                "changed_by": row.changed_by,
            }
        )


class YearOut(Shape):
    """A year of the calendar."""

    year: int
    known: bool
    """Whether its official notice is in the table; else other days are priced by their weekday, with a mark."""
    days: list[DayOut]


class DecreeIn(Shape):
    """Days on which nothing is charged, both included."""

    first_day: date = Field(ge=EARLIEST, le=LATEST, examples=["2027-02-06"])
    last_day: date = Field(ge=EARLIEST, le=LATEST, examples=["2027-02-12"])
    lot: Code = None
    """Only in this lot."""
    tariff: Code = None
    """Only under this notice."""
    reason: Reason


class DecreeOut(Shape):
    """A decree, ended or not."""

    id: int
    first_day: str = Field(json_schema_extra={"format": "date"})
    last_day: str = Field(json_schema_extra={"format": "date"})
    lot: str | None
    tariff: str | None
    reason: str
    decreed_by: str
    decreed_at: str = Field(json_schema_extra={"format": "date-time"})
    ended_by: str | None
    ended_at: str | None = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, one: Decree) -> "DecreeOut":
        """The decree in JSON's types."""
        return cls(
            id=one.id,
            first_day=one.first_day.isoformat(),
            last_day=one.last_day.isoformat(),
            lot=one.lot,
            tariff=one.tariff,
            reason=one.reason,
            decreed_by=one.decreed_by,
            decreed_at=rfc3339(one.decreed_at),
            ended_by=one.ended_by,
            ended_at=rfc3339(one.ended_at) if one.ended_at else None,
        )


@router.get("/days", responses=responses(401, 422))
async def read_calendar(
    db: Db,
    now: Now,
    _person: AnyRole,
    year: Annotated[
        int, Query(ge=2000, le=2099, description="Which year.", openapi_examples={"a year": {"value": 2026}})
    ],
) -> YearOut:
    """The days of a year that are not simply their weekday."""
    await seed_calendar(db, at=now)
    days, known = await list_days(db, year)
    return YearOut(year=year, known=known, days=[DayOut.of(row) for row in days])


@router.put("/days/{day}", responses=responses(401, 403, 422))
async def correct_day(day: Day, body: DayIn, person: Finance, db: Db, now: Now) -> DayOut:
    """Decide what a day is; holds for bills made from now on, issued ones keep the days they used."""
    row = DayRow(day=day, kind=body.kind, name=body.holiday, reason=body.reason, changed_by=person.login)
    ((before, _),) = await set_days(db, [row], actor=person.login, at=now)
    entry = person.entry("calendar.corrected", f"day:{day}", before=_audited(before), after=_audited(row))
    await write_audit(db, entry)
    return DayOut.of(row)


@router.post("/days/{day}/reset", status_code=204, responses=responses(401, 403, 404, 422))
async def reset_corrected_day(day: Day, person: Finance, db: Db, now: Now) -> None:
    """Take a decision back: the installed calendar package's word holds again."""
    before = await reset_day(db, day, at=now)
    await write_audit(db, person.entry("calendar.reset", f"day:{day}", before=_audited(before)))


@router.get("/decrees", responses=responses(401))
async def read_decrees(db: Db, _person: AnyRole) -> list[DecreeOut]:
    """Every decree that frees days, also those that hold no longer."""
    return [DecreeOut.of(one) for one in await list_decrees(db)]


@router.post("/decrees", status_code=201, responses=responses(401, 403, 404, 422))
async def decree_free_days(body: DecreeIn, person: Finance, db: Db, now: Now) -> DecreeOut:
    """Free some days, in the county, in one lot, or under one notice; holds for bills made from now on."""
    made = await decree(
        db,
        body.first_day,
        body.last_day,
        lot=body.lot,
        tariff=body.tariff,
        reason=body.reason,
        actor=person.login,
        at=now,
    )
    after = DecreeOut.of(made).model_dump(include={"first_day", "last_day", "lot", "tariff", "reason"})
    await write_audit(db, person.entry("calendar.freed", f"decree:{made.id}", after=after))
    return DecreeOut.of(made)


@router.post("/decrees/{number}/end", responses=responses(401, 403, 404, 409, 422))
async def end_free_days(
    number: Annotated[
        int,
        Path(ge=SMALLEST, le=LARGEST, description="The decree's.", openapi_examples={"the first": {"value": 1}}),
    ],
    person: Finance,
    db: Db,
    now: Now,
) -> DecreeOut:
    """Let a decree hold no longer; bills made under it keep it."""
    ended = await end_decree(db, number, actor=person.login, at=now)
    await write_audit(db, person.entry("calendar.unfreed", f"decree:{number}"))
    return DecreeOut.of(ended)


def _audited(row: DayRow | None) -> dict[str, Any] | None:
    return None if row is None else {"kind": row.kind, "holiday": row.name, "reason": row.reason}
