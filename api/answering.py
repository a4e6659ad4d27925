"""Prepared answers on their way out: 304 for whoever has them, compressed for whoever takes that."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from api.live_city.answers import Answer

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
A_SECOND: Final = "public, max-age=1"
"""For what changes every second: an edge in front of us absorbs any crowd."""
ASK_AGAIN: Final = "public, no-cache"
"""For what hardly ever changes but must then be new: kept, and asked about with its ETag."""


class GeoJson(JSONResponse):
    """What OpenAPI calls the media type of a map."""

    media_type = GEOJSON


def respond(asked: Headers, answer: Answer, *, media_type: str, cache: str) -> Response:
    """The answer, or that it has not changed."""
    has = has_it(asked.get("if-none-match"), answer.etag)
    gzip = "gzip" in asked.get("accept-encoding", "")
    body, headers = headers_of(answer, media_type=media_type, cache=cache, has=has, gzip=gzip)
    return Response(body, status_code=304 if has else 200, headers=headers)


def headers_of(answer: Answer, *, media_type: str, cache: str, has: bool, gzip: bool) -> tuple[bytes, dict[str, str]]:
    """The body and headers for a caller who has this answer already, or who takes it compressed."""
    headers = {"ETag": answer.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if has:
        return b"", headers
    headers["Content-Type"] = media_type
    if gzip and answer.gzipped is not None:
        headers["Content-Encoding"] = "gzip"
        return answer.gzipped, headers
    return answer.body, headers


def has_it(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller named this ETag; weakly compared, as a GET does."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
