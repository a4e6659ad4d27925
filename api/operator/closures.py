"""Spaces out of use: closed by somebody with a reason, opened again."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy import func, select, update

from api.deps import Db, Now
from api.door import LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from core.audit import write_audit
from core.clock import rfc3339
from core.errors import SpaceNotFoundError
from core.roles import Role
from core.tables import Space

router = APIRouter(prefix="/api/v1/operator/spaces", tags=["operator"])

EXAMPLE = {"a space of the demo city": {"value": "KL-017"}}
Code = Annotated[str, Path(max_length=64, description="As printed on the space.", openapi_examples=EXAMPLE)]
Streetwise = Annotated[LoggedIn, role(Role.OPERATOR, Role.WARDEN)]


class ClosureIn(Shape):
    """Why a space is out of use."""

    reason: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["road works until Friday"])


class ClosureOut(Shape):
    """Whether a space is out of use, and why."""

    space_code: str
    closed_since: str | None = Field(json_schema_extra={"format": "date-time"})
    reason: str | None


@router.post("/{code}/close", responses=responses(401, 403, 404, 422))
async def close_space(code: Code, body: ClosureIn, person: Streetwise, db: Db, now: Now) -> ClosureOut:
    """Take a space out of use: it shows as closed, whatever its sensor says. Closing it again changes the reason."""
    before = await _fetch(db, code)
    since = before.closed_since or now
    await db.execute(update(Space).where(Space.id == before.id).values(closed_since=since, closed_reason=body.reason))
    after = {"closed_since": rfc3339(since), "reason": body.reason}
    await write_audit(db, person.entry("space.closed", f"space:{code}", before=_shown(before), after=after))
    await db.execute(_WAKE)
    return ClosureOut(space_code=code, **after)


@router.post("/{code}/open", responses=responses(401, 403, 404, 422))
async def open_space(code: Code, person: Streetwise, db: Db) -> ClosureOut:
    """Put a space back into use; opening an open one changes nothing."""
    before = await _fetch(db, code)
    if before.closed_since is not None:
        await db.execute(update(Space).where(Space.id == before.id).values(closed_since=None, closed_reason=None))
        await write_audit(db, person.entry("space.opened", f"space:{code}", before=_shown(before)))
        await db.execute(_WAKE)
    return ClosureOut(space_code=code, closed_since=None, reason=None)


_WAKE = select(func.pg_notify("parking_registry", ""))
"""Sent by PostgreSQL when the transaction commits."""


async def _fetch(db: Db, code: str) -> Any:
    wanted = select(Space.id, Space.closed_since, Space.closed_reason).where(Space.code == code)
    row = (await db.execute(wanted.where(Space.retired_at.is_(None)).with_for_update())).first()
    if row is None:
        raise SpaceNotFoundError(f"no space has the code {code!r}", space_code=code)
    return row


def _shown(row: Any) -> dict[str, Any] | None:
    if row.closed_since is None:
        return None
    return {"closed_since": rfc3339(row.closed_since), "reason": row.closed_reason}
