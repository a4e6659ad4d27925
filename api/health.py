"""Whether this process lives, and whether it can serve: what a load balancer and a person on call ask."""

import asyncio
from functools import cache
from pathlib import Path
from typing import Final, Literal

import structlog
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

import migrations
from api.away import AWAY
from api.deps import TheParts
from api.parts import Parts
from api.problems import problem, responses
from api.shapes import Shape
from core.db import Database

log = structlog.get_logger()

router = APIRouter(prefix="/health", tags=["health"])

LIVE_WITHIN_SECONDS: Final = 20.0
"""The city is read every five seconds, whatever happens in it."""
ANSWER_WITHIN_SECONDS: Final = 3.0


class Alive(Shape):
    """This process answers."""

    status: Literal["alive"] = "alive"


class Ready(Shape):
    """Every part this process needs is well."""

    status: Literal["ready"] = "ready"
    database: str
    migrations: str
    live: str


@router.get("/live")
async def read_liveness() -> Alive:
    """Whether this process answers at all; asks nobody else."""
    return Alive()


@router.get("/ready", response_model=Ready, responses=responses(503))
async def read_readiness(request: Request, parts: TheParts) -> Ready | Response:
    """Whether this process can serve; 503 names each part that cannot, and what is wrong with it."""
    state = await examine(parts)
    failing = sorted(part for part, (well, _) in state.items() if not well)
    if failing:
        detail = "; ".join(f"{part}: {state[part][1]}" for part in failing)
        facts = {"failing": failing, **{part: words for part, (_, words) in state.items()}}
        return problem(request.scope, 503, detail, slug="not-ready", facts=facts)
    return Ready(**{part: words for part, (_, words) in state.items()})


async def examine(parts: Parts) -> dict[str, tuple[bool, str]]:
    """Each part: whether it is well, and in which words."""
    at = await _revision(parts.database)
    reachable = not isinstance(at, Exception)
    needed = newest_revision()
    age = parts.following.age_seconds
    return {
        "database": (reachable, "answers" if reachable else "does not answer"),
        "migrations": (at == needed, f"at {at}" if at == needed else f"needs {needed}, `parking db upgrade`"),
        "live": (
            age <= LIVE_WITHIN_SECONDS,
            "has not been read yet" if age == float("inf") else f"read {age:.0f} s ago",
        ),
    }


@cache
def newest_revision() -> str | None:
    """The revision of the schema that this code needs."""
    return ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()


async def _revision(database: Database) -> str | Exception | None:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS), database.transaction() as db:
            return await db.run_sync(_revision_of)
    except AWAY as error:
        log.warning("health.database_away", error=repr(error))
        return error


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
