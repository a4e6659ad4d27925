"""Refusals as problem+json (RFC 9457): one table from a kind to a status, one shape for everything that goes wrong."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from api.away import AWAY, is_away
from api.lost import lost_page
from api.shapes import Shape
from core.errors import (
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    ParkingError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
STATUS_BY_KIND: Final[dict[type[ParkingError], int]] = {
    UnauthenticatedError: 401,
    DeniedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidError: 422,
    TooManyRequestsError: 429,
    UnavailableError: 503,
}
SLUG_BY_STATUS: Final = {
    400: "bad-request",
    401: "unauthenticated",
    403: "denied",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid-request",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
}


TEXT_REFUSED: Final = frozenset({"22021", "22P05"})
"""PostgreSQL's states for text it cannot hold: NUL, or half of a surrogate pair."""


class WrongPlace(Shape):
    """One thing wrong with a request."""

    at: str = Field(examples=["query.leave"])
    """Where: ``query``, ``path``, ``header`` or ``body``, then the names down to it."""
    why: str = Field(examples=["Field required"])


class Problem(Shape):
    """What every refusal looks like."""

    type: str = Field(examples=["/problems/lot-not-found"])
    title: str = Field(examples=["Lot not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["no lot has the code 'XX'"])
    instance: str = Field(examples=["/api/v1/lots/XX"])
    request_id: str = Field(examples=["5b1f0c9ad2e84f77"])
    facts: dict[str, Any] = Field(default_factory=dict, examples=[{"lot_id": "XX"}])
    errors: list[WrongPlace] | None = None


def status_of(error: ParkingError) -> int:
    """The status of the nearest kind."""
    for kind in type(error).__mro__:
        if kind in STATUS_BY_KIND:
            return STATUS_BY_KIND[kind]
    return 500


def problem(
    scope: Scope,
    status: int,
    detail: str,
    *,
    slug: str | None = None,
    facts: Mapping[str, object] | None = None,
    errors: list[WrongPlace] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A refusal as it goes out; never cached, never with anything of our inside in it; a page for who reads pages."""
    page = lost_page(scope, status, headers or {})
    if page is not None:
        return page
    slug = slug or SLUG_BY_STATUS.get(status, "error")
    body: dict[str, object] = {
        "type": f"/problems/{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": scope["path"],
        "request_id": scope.get("state", {}).get("request_id", ""),
        "facts": dict(facts or {}),
    }
    if errors is not None:
        body["errors"] = [error.model_dump() for error in errors]
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def install(app: FastAPI) -> None:
    """Let every exception of a request end as a problem."""
    app.add_exception_handler(ParkingError, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _by_status)
    for away in AWAY:
        app.add_exception_handler(away, _database_away)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a route's refusals."""
    return {status: refusal(SLUG_BY_STATUS[status].replace("-", " ").capitalize()) for status in statuses}


def refusal(words: str) -> dict[str, Any]:
    """A refusal in OpenAPI."""
    return {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ParkingError)  # noqa: S101 - registered for nothing else
    status = status_of(error)
    headers = {}
    if "retry_after_seconds" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after_seconds"])
    if status == 401:  # noqa: PLR2004 - as in the table above
        headers["WWW-Authenticate"] = "Bearer"
    return problem(request.scope, status, error.message, slug=error.slug, facts=error.facts, headers=headers)


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    # what was sent is not repeated: it may hold a plate or a password
    errors = [
        WrongPlace(at=".".join(map(str, one["loc"])), why=one["msg"].removeprefix("Value error, "))
        for one in error.errors()
    ]
    detail = "; ".join(f"{one.at}: {one.why}" for one in errors[:5])
    return problem(request.scope, 422, detail, errors=errors)


async def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    details = {
        404: "nothing is at this address; /docs lists what there is",
        405: "this address does not answer to that method",
    }
    detail = details.get(error.status_code, str(error.detail))
    return problem(request.scope, error.status_code, detail, headers=error.headers)


async def _database_away(request: Request, error: Exception) -> Response:
    if getattr(getattr(error, "orig", None), "sqlstate", None) in TEXT_REFUSED:
        return problem(request.scope, 422, "a text here contains a character that cannot be kept, such as NUL")
    if not is_away(error):
        raise error
    log.warning("database.away", error=repr(error))
    detail = "the database does not answer; try again shortly"
    return problem(request.scope, 503, detail, slug="database-away", headers={"Retry-After": "2"})
