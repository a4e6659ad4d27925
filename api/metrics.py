"""Counters and gauges for Prometheus."""

from collections.abc import Iterable

from fastapi import APIRouter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.deps import TheParts
from api.measures import gauge, spaces_by_state
from api.parts import Parts

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def read_metrics(parts: TheParts) -> Response:
    """What this process counts of itself, in Prometheus's text format."""
    return Response(parts.measures.text(), media_type=CONTENT_TYPE_LATEST)


def gauges_of(parts: Parts) -> Iterable[GaugeMetricFamily]:
    """What is read off the city when somebody asks."""
    showing = parts.showing
    yield gauge("parking_api_viewers", "Viewers of the live stream.", showing.stream.viewers)
    yield gauge("parking_api_resyncs", "Snapshots sent to viewers who had fallen behind.", showing.stream.resyncs)
    yield gauge("parking_api_city_age_seconds", "Since the tables were last read.", parts.following.age_seconds)
    if showing.heard_ms is not None:
        age = (parts.clock.now_ms() - showing.heard_ms) / 1_000
        yield gauge("parking_api_street_age_seconds", "Since anything was last received from a sensor.", age)
    yield spaces_by_state(showing.picture.letters)
