"""The live stream: what changes, as it changes, to everybody who looks at the map."""

from typing import Annotated, Final

from fastapi import APIRouter, Header
from starlette.responses import StreamingResponse

from api.deps import City

router = APIRouter(prefix="/api/v1", tags=["live"])

EVENT_STREAM: Final = "text/event-stream"
EXAMPLE: Final = """id: 1795358210250-1795358214
event: changes
data: {"version":1795358214,"at":"2026-11-22T04:00:03.512Z","changes":{"f":[17],"o":[3,204],"u":[],"c":[]},\
"lots":{"KL":{"available":12,"free":12,"occupied":40,"unknown":0,"closed":1}}}

"""


@router.get(
    "/live",
    response_class=StreamingResponse,
    responses={200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}}}},
)
async def follow(
    city: City,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event seen, to go on from there.")
    ] = None,
) -> StreamingResponse:
    """Server-sent events: first ``snapshot`` (the body of ``/spaces/state``), then ``changes`` at most once a second.

    ``changes`` names places in the order of ``/spaces`` by their new letter, and the counts of every lot that changed.
    A returning viewer gets what was missed, or a snapshot; so does one who reads too slowly. When the order of spaces
    changes, everybody gets a snapshot with another ``spaces_etag``.
    """
    return StreamingResponse(
        city.stream.watch(last_event_id),
        media_type=EVENT_STREAM,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
