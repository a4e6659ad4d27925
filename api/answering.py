"""Prepared answers on their way out: 304 for whoever has them, compressed for whoever takes that."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.live_city.answers import Answer

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
A_SECOND: Final = "public, max-age=1"
"""For what changes every second: an edge in front of us absorbs any crowd."""
ASK_AGAIN: Final = "public, no-cache"
"""For what hardly ever changes but must then be new: kept, and asked about with its ETag."""


class GeoJson(Response):
    """What OpenAPI calls the media type of a map."""

    media_type = GEOJSON


def respond(request: Request, answer: Answer, *, media_type: str, cache: str) -> Response:
    """The answer, or that it has not changed."""
    headers = {"ETag": answer.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if _has(request.headers.get("if-none-match"), answer.etag):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", "") and answer.gzipped is not None:
        headers["Content-Encoding"] = "gzip"
        return Response(answer.gzipped, media_type=media_type, headers=headers)
    return Response(answer.body, media_type=media_type, headers=headers)


def _has(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller named this ETag; weakly compared, as a GET does."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
