"""A request that may be repeated: its answer is kept, refusals included, and given again word for word.

The key is the caller's, the scope ours: whom the request is about. What went wrong on our side is not kept, so that the
same key may try again.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Header, Request
from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from starlette.responses import JSONResponse, Response

from api.problems import MEDIA_TYPE, problem, status_of
from billing.payments.till import real_now
from core.db import Database
from core.errors import ConflictError, InvalidError, ParkingError, TooManyRequestsError
from core.tables import IdempotencyKey

WAIT_SECONDS: Final = 5.0
"""How long the second of two simultaneous requests waits for the first one's answer."""
LOOK_EVERY_SECONDS: Final = 0.1
GIVEN_UP_AFTER: Final = timedelta(seconds=35)
"""A request that has no answer after this died with its process: none is worked on for more than half a minute."""
KEPT_FOR: Final = timedelta(hours=24)

RepeatKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Made by whoever calls, once for each intention: the same key and body get the same answer.",
        min_length=8,
        max_length=128,
        pattern=r"^[A-Za-z0-9_.:\-]+$",
        openapi_examples={"a uuid": {"value": "6f0c7c1e-7a55-4d0f-9b0e-0d9f4a4f2c11"}},
    ),
]


class KeyReusedError(InvalidError):
    """This key came with another body before."""

    slug = "idempotency-key-reused"


class InProgressError(ConflictError):
    """The first request with this key is still being answered. Carries ``retry_after_seconds``."""

    slug = "still-in-progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """One request that may come more than once."""

    request: Request
    database: Database
    scope: str
    key: str
    fingerprint: bytes


def fingerprint_of(body: Any) -> bytes:
    """The same for every way to write the same JSON."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()


async def answer_once(asked: Repeatable, run: Callable[[], Awaitable[tuple[int, dict[str, Any]]]]) -> Response:
    """The answer of ``run``, or the one it gave before.

    Raises:
        KeyReusedError: the key came with another body.
        InProgressError: the first request is still running.
    """
    stored = None if await _claimed(asked) else await _wait(asked)
    if stored is not None:
        return _response(stored.status, stored.body, is_again=True)
    try:
        status, body = await run()
    except ParkingError as error:
        status = status_of(error)
        if status >= 500 or isinstance(error, TooManyRequestsError):  # noqa: PLR2004 - not the request's own fault
            await _release(asked)
            raise
        refusal = problem(asked.request.scope, status, error.message, slug=error.slug, facts=error.facts)
        body = json.loads(bytes(refusal.body))
    except BaseException:
        await asyncio.shield(_release(asked))
        raise
    async with asked.database.transaction() as db:
        keep = update(IdempotencyKey).where(*_this(asked)).values(status=status, body=body)
        kept = await db.scalar(keep.returning(IdempotencyKey.body))
    return _response(status, kept or body, is_again=False)  # as it was kept, whose fields stand in the order of storage


async def forget_old_keys(database: Database) -> None:
    """Let go of answers nobody repeats any more."""
    async with database.transaction() as db:
        await db.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < real_now() - KEPT_FOR))


async def _claimed(asked: Repeatable) -> bool:
    """Whether this request is the first of its key, or takes over from one that died."""
    at = real_now()
    row = insert(IdempotencyKey).values(scope=asked.scope, key=asked.key, fingerprint=asked.fingerprint, created_at=at)
    anew = row.on_conflict_do_update(
        index_elements=["scope", "key"],
        set_={"created_at": at},
        where=IdempotencyKey.status.is_(None)
        & (IdempotencyKey.created_at < at - GIVEN_UP_AFTER)
        & (IdempotencyKey.fingerprint == asked.fingerprint),
    )
    async with asked.database.transaction() as db:
        return (await db.execute(anew.returning(IdempotencyKey.key))).first() is not None


async def _wait(asked: Repeatable) -> Row[Any] | None:
    """The stored answer; None where the first request gave its key back and this one has it now."""
    columns = (IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.body)
    for _ in range(int(WAIT_SECONDS / LOOK_EVERY_SECONDS)):
        async with asked.database.transaction() as db:
            row = (await db.execute(select(*columns).where(*_this(asked)))).first()
        if row is None and await _claimed(asked):
            return None
        if row is not None and row.fingerprint != asked.fingerprint:
            raise KeyReusedError("this Idempotency-Key came with another body before; make a new one")
        if row is not None and row.status is not None:
            return row
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    raise InProgressError("the first request with this key is still being answered", retry_after_seconds=2)


async def _release(asked: Repeatable) -> None:
    async with asked.database.transaction() as db:
        await db.execute(delete(IdempotencyKey).where(*_this(asked), IdempotencyKey.status.is_(None)))


def _this(asked: Repeatable) -> tuple[Any, ...]:
    return IdempotencyKey.scope == asked.scope, IdempotencyKey.key == asked.key


def _response(status: int, body: dict[str, Any], *, is_again: bool) -> Response:
    return JSONResponse(
        body,
        status_code=status,
        media_type=MEDIA_TYPE if status >= 400 else None,  # noqa: PLR2004 - refusals
        headers={"Cache-Control": "no-store", "Idempotent-Replayed": "true" if is_again else "false"},
    )
