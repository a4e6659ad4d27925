"""Park by the map, in a demo: the simulator makes the sensor of a space speak, and everything else goes its own way.

These routes exist only where ``PARKING_DEMO_ORDERS_URL`` names a simulator that takes orders.
"""

import uuid
from math import ceil
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import httpx
from fastapi import APIRouter, Body, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from api.deps import City, TheParts, spend
from api.limits import VISITS
from api.live_city.showing import Showing
from api.parts import Parts
from api.problems import problem, responses
from api.shapes import Shape
from core.clock import instant, rfc3339
from core.errors import SpaceNotFoundError, UnavailableError
from core.tokens import space_token

router = APIRouter(prefix="/api/v1/demo", tags=["demo"])

ANSWER_SECONDS: Final = 12.0
"""Longer than the simulator itself waits for its own turn."""
SLUGS: Final = frozenset({"space-not-simulated", "space-taken", "not-your-visit", "too-soon", "city-busy"})

SpaceCode = Annotated[str, Field(max_length=64, examples=["KL-017"], description="As printed on the space.")]
VisitName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9-]{8,64}$",
        examples=["6f0c7c1e-7a55-4d0f-9b0e-0d9f4a4f2c11"],
        description="Made by whoever parks; who knows it may leave. The same one again is the same visit.",
    ),
]


class SimulatorAwayError(UnavailableError):
    """The simulator does not answer: it is being started again, or was stopped. Carries ``retry_after_seconds``."""

    slug = "simulator-away"


class ParkIn(Shape):
    """Where somebody parks."""

    space: SpaceCode
    visit: VisitName = Field(default_factory=lambda: str(uuid.uuid4()))


class LeaveIn(Shape):
    """Who leaves."""

    space: SpaceCode
    visit: VisitName


class VisitOut(Shape):
    """What the simulator did."""

    space: str = Field(examples=["KL-017"])
    visit: str = Field(examples=["6f0c7c1e-7a55-4d0f-9b0e-0d9f4a4f2c11"])
    sensor_id: str = Field(examples=["aede480001000001"])
    """Which sensor spoke."""
    at: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T04:00:00.000Z"])
    """When the vehicle came or left, on the installation's clock."""
    pay_path: str = Field(examples=["/s/KL-017?k=Zr9A2bq0"])
    """Where the code that is printed on the space leads."""


@router.post("/park", response_model=VisitOut, responses=responses(404, 409, 422, 429, 503))
async def park(
    request: Request,
    parts: TheParts,
    city: City,
    body: Annotated[ParkIn, Body(openapi_examples={"a free space": {"value": {"space": "KL-017"}}})],
) -> Response:
    """Park on a free space: its sensor says so, by a real message through the real broker.

    Refused where a vehicle stands (`space-taken`) or has only just left (`too-soon`), where no simulated sensor watches
    (`space-not-simulated`), and while the simulator is away (`simulator-away`).
    """
    return await _ordered(request, parts, city, "park", body)


@router.post("/leave", response_model=VisitOut, responses=responses(404, 409, 422, 429, 503))
async def leave(
    request: Request,
    parts: TheParts,
    city: City,
    body: Annotated[
        LeaveIn,
        Body(
            openapi_examples={
                "whoever parked": {"value": {"space": "KL-017", "visit": "6f0c7c1e-7a55-4d0f-9b0e-0d9f4a4f2c11"}}
            }
        ),
    ],
) -> Response:
    """Leave a space on which one has parked by this visit; another's vehicle stays (`not-your-visit`)."""
    return await _ordered(request, parts, city, "leave", body)


async def _ordered(
    request: Request, parts: Parts, city: Showing, verb: Literal["park", "leave"], body: ParkIn | LeaveIn
) -> Response:
    spend(request, VISITS)
    space = body.space
    if space not in city.registry.space_at:
        raise SpaceNotFoundError(f"no space has the code {space!r}", space_code=space)
    answer = await _ask(parts.settings.demo_orders_url, verb, {"space": space, "visit": body.visit})
    said = answer.json()
    if not answer.is_success:
        return _refused(request, answer.status_code, said, parts.clock.speed)
    token = space_token(parts.settings.secret_key.get_secret_value(), space)
    out = VisitOut(
        space=space,
        visit=body.visit,
        sensor_id=said["sensor_id"],
        at=rfc3339(instant(said["at_ms"])),
        pay_path=f"/s/{quote(space)}?k={token}",
    )
    return JSONResponse(out.model_dump(), headers={"Cache-Control": "no-store"})


async def _ask(orders_url: str, verb: str, order: dict[str, str]) -> httpx.Response:
    try:
        async with httpx.AsyncClient(base_url=orders_url, timeout=ANSWER_SECONDS, trust_env=False) as simulator:
            return await simulator.post(f"/{verb}", json=order)
    except httpx.HTTPError as error:
        raise SimulatorAwayError(
            "the simulator does not answer; it is started again by itself, try once more", retry_after_seconds=2
        ) from error


def _refused(request: Request, status: int, said: dict[str, Any], speed: float) -> Response:
    """The simulator's refusal as ours; how long to wait is of the caller's clock."""
    if said.get("slug") not in SLUGS:
        raise RuntimeError(f"the simulator refuses our order: {said}")
    facts, headers = dict(said["facts"]), {}
    wait = facts.get("retry_after_seconds")
    if wait is not None:
        facts["retry_after_seconds"] = ceil(wait / speed)
        headers["Retry-After"] = str(facts["retry_after_seconds"])
    return problem(request.scope, status, said["detail"], slug=said["slug"], facts=facts, headers=headers)
