"""What payment providers tell us: the raw bytes go to the adapter, and only what is committed is acknowledged."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.deps import TheParts, spend
from api.limits import FORGERIES
from api.problems import problem, refusal, responses
from billing.payments.hearing import hear
from billing.providers.port import ForgedError

router = APIRouter(prefix="/api/v1/notify", tags=["payments"])

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "As the provider sends it, with its signature. At most 256 KiB.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    }
}
IN_ITS_OWN_WORDS: Final[dict[str, Any]] = {
    "text/plain": {"schema": {"type": "string"}, "example": "success"},
    "application/json": {"schema": {"type": "object"}, "example": {"code": "SUCCESS"}},
}
AGAIN: Final[dict[int | str, dict[str, Any]]] = {
    500: refusal("Not taken: send it again"),
    503: refusal("Not taken: send it again"),
}


@router.post(
    "/{provider}",
    response_class=Response,
    openapi_extra=BODY,
    responses={
        200: {"description": "Taken, in the provider's own words", "content": IN_ITS_OWN_WORDS},
        204: {"description": "Taken"},
        **responses(401, 404, 413, 422, 429),
        **AGAIN,
    },
)
async def take_notification(
    *,
    request: Request,
    parts: TheParts,
    provider: Annotated[
        str,
        Path(
            description="Who sends it.",
            pattern="^[a-z]{2,20}$",
            openapi_examples={"WeChat Pay": {"value": "wechat"}},
        ),
    ],
) -> Response:
    """For providers alone: a signed notification of a payment or a refund.

    2xx: committed, or known already. 401: the signature is wrong, too old, or it is meant for another merchant; nothing
    was done. 5xx: not taken, to be sent again: we could not read it, know no such order, or our database is away.
    """
    body = await request.body()
    try:
        answer = await hear(parts.till, provider, request.headers, body)
    except ForgedError as error:
        spend(request, FORGERIES)
        return problem(request.scope, 401, error.message, slug=error.slug)
    return Response(answer.body, status_code=answer.status, media_type=answer.media_type)
