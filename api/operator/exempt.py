"""Vehicles that pay nothing: listed with masked plates, added, ended."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from api.deps import Db, Instant, Now, TheParts
from api.door import AnyRole, LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.exempt import Exemption, add_exemption, end_exemption, list_exemptions
from billing.plates import PlatesNotConfiguredError
from core.audit import write_audit
from core.clock import rfc3339
from core.plate import parse_plate
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/exemptions", tags=["operator"])

Office = Annotated[LoggedIn, role(Role.FINANCE, Role.OPERATOR)]
LotCode = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]+$")]
SMALLEST, LARGEST = 1, 2**31 - 1


class ExemptionIn(Shape):
    """A vehicle that is to pay nothing."""

    plate: str = Field(min_length=1, max_length=32, examples=["浙D·12345"])
    lots: list[LotCode] = Field(default=[], max_length=100, examples=[["KL"]])
    """Only there; none: everywhere."""
    valid_from: Instant | None = Field(default=None, examples=["2026-11-01T00:00:00+08:00"])
    """None: from now on."""
    valid_to: Instant | None = Field(default=None, examples=["2030-11-01T00:00:00+08:00"])
    reason: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["sanitation, on duty"])
    """Shown on the bill."""


class ExemptionOut(Shape):
    """An exemption, ended or not; the plate is masked."""

    id: int
    plate: str = Field(examples=["浙D***45"])
    lots: list[str]
    valid_from: str = Field(json_schema_extra={"format": "date-time"})
    valid_to: str | None = Field(json_schema_extra={"format": "date-time"})
    reason: str
    added_by: str
    ended_by: str | None
    ended_at: str | None = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, one: Exemption) -> "ExemptionOut":
        """The exemption in JSON's types."""
        return cls(
            id=one.id,
            plate=one.plate,
            lots=list(one.lots),
            valid_from=rfc3339(one.valid_from),
            valid_to=rfc3339(one.valid_to) if one.valid_to else None,
            reason=one.reason,
            added_by=one.added_by,
            ended_by=one.ended_by,
            ended_at=rfc3339(one.ended_at) if one.ended_at else None,
        )


@router.get("", responses=responses(401))
async def read_exemptions(parts: TheParts, db: Db, _person: AnyRole) -> list[ExemptionOut]:
    """Every exemption, the newest first, plates masked."""
    return [ExemptionOut.of(one) for one in await list_exemptions(db, parts.plates)]


@router.post("", status_code=201, responses=responses(401, 403, 404, 422, 503))
async def exempt_vehicle(body: ExemptionIn, parts: TheParts, person: Office, db: Db, now: Now) -> ExemptionOut:
    """Charge a vehicle no longer; counts for bills made from now on, where a warden or a camera saw the plate."""
    if parts.plates is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    made = await add_exemption(
        db,
        parts.plates,
        parse_plate(body.plate),
        lots=body.lots,
        valid_from=body.valid_from or now,
        valid_to=body.valid_to,
        reason=body.reason,
        actor=person.login,
        at=now,
    )
    shown = ExemptionOut.of(made)
    after = shown.model_dump(include={"lots", "valid_from", "valid_to", "reason"})
    await write_audit(db, person.entry("exemption.added", f"exemption:{made.id}", after=after))
    return shown


@router.post("/{number}/end", responses=responses(401, 403, 404, 409, 422))
async def end_vehicle_exemption(
    number: Annotated[
        int,
        Path(ge=SMALLEST, le=LARGEST, description="The exemption's.", openapi_examples={"the first": {"value": 1}}),
    ],
    parts: TheParts,
    person: Office,
    db: Db,
    now: Now,
) -> ExemptionOut:
    """Charge the vehicle again from now on; stays before keep it."""
    ended = await end_exemption(db, parts.plates, number, actor=person.login, at=now)
    await write_audit(db, person.entry("exemption.ended", f"exemption:{number}"))
    return ExemptionOut.of(ended)
