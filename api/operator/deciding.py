"""What people decide about money: one decision for one key, in one transaction."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.idempotency import Repeatable, answer_once, fingerprint_of
from api.parts import Parts
from api.shapes import Shape

Run = Callable[[AsyncConnection], Awaitable[dict[str, Any]]]


async def decide_once(request: Request, parts: Parts, scope: str, *, key: str, body: Shape, run: Run) -> Response:
    """Run it in a transaction and answer 201; the same key and body again get the stored answer."""
    asked = Repeatable(
        request=request,
        database=parts.database,
        scope=scope,
        key=key,
        fingerprint=fingerprint_of(body.model_dump()),
    )

    async def in_transaction() -> tuple[int, dict[str, Any]]:
        async with parts.database.transaction() as db:
            return 201, await run(db)

    return await answer_once(asked, in_transaction)
