"""What kind of installation this is: the real thing, or a demo in which people may park by the map."""

from fastapi import APIRouter, Response
from pydantic import Field

from api.deps import TheParts
from api.shapes import Shape

router = APIRouter(prefix="/api/v1", tags=["city"])


class Meta(Shape):
    """This installation."""

    demo: bool = Field(examples=[False])
    """Whether its sensors are simulated and take visitors: only then there is `POST /demo/park`."""
    speed: float = Field(examples=[1.0])
    """Minutes that pass here while one passes for us; 1 but in demos."""


@router.get("/meta")
async def read_meta(parts: TheParts, response: Response) -> Meta:
    """Whether this is a demo, and how fast its clock runs."""
    response.headers["Cache-Control"] = "no-cache"  # a demo's clock slows down
    return Meta(demo=bool(parts.settings.demo_orders_url), speed=parts.clock.speed)
