"""What any stay costs, before anybody has parked."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from api.deps import CountedRead, Db, Instant, Now, TheLot, Words
from api.fees import Fee
from api.problems import responses
from billing.calendar_table import fetch_calendar
from billing.fee import fee_object
from billing.pricing import quote
from billing.tariffs_in_force import fetch_tariff_for
from core.errors import InvalidError, TariffNotFoundError
from core.stay import VEHICLE_WORDS, Stay, VehicleClass

router = APIRouter(prefix="/api/v1/lots", tags=["lots"])

LONGEST: Final = timedelta(days=400)
"""A stay of a year and then some; whoever asks for more asks for our processor."""


def _example(time: str) -> dict[str, Any]:
    return {f"{time} in China": {"value": f"2026-11-22T{time}:00+08:00"}}


class StayTooLongError(InvalidError):
    """Longer than anything a quote is made for. Carries ``longest_days``."""

    slug = "stay-too-long"


@router.get("/{lot_id}/quote", responses=responses(404, 422, 429), dependencies=[CountedRead], response_model=Fee)
async def quote_stay(
    *,
    lot: TheLot,
    db: Db,
    now: Now,
    lang: Words,
    leave: Annotated[Instant, Query(description="When the vehicle leaves.", openapi_examples=_example("10:15"))],
    enter: Annotated[
        Instant | None, Query(description="When it comes; now if not given.", openapi_examples=_example("09:00"))
    ] = None,
    vehicle: Annotated[
        str | None,
        Query(
            max_length=64,
            description=f"What is parked: {', '.join(VEHICLE_WORDS)}, or a word of the lot's own notice.",
            openapi_examples={"a car": {"value": "small"}},
        ),
    ] = None,
) -> dict[str, Any]:
    """The itemised fee of a stay: each line with its rule, minutes, amount and reason, and when it would next rise."""
    stay = Stay(entered_at=enter or now, left_at=leave)
    if stay.left_at - stay.entered_at > LONGEST:
        raise StayTooLongError(f"a stay of more than {LONGEST.days} days is not quoted", longest_days=LONGEST.days)
    if lot.tariff is None:
        raise TariffNotFoundError(f"lot {lot.code} has no price notice", lot_id=lot.code, tariff=None)
    _, tariff = await fetch_tariff_for(db, lot.tariff, stay)
    of = VehicleClass(vehicle) if vehicle else None
    calendar = await fetch_calendar(db, lot=lot.code, tariff=tariff.code)
    return fee_object(quote(tariff, stay, zone=lot.zone, vehicle=of, calendar=calendar), lang)
