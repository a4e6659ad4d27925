"""The audit: every change of money or rights, newest first."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import select

from api.deps import Db
from api.door import LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from core.clock import rfc3339
from core.roles import Role
from core.tables import Audit

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

LARGEST_ID = 2**63 - 1


class AuditOut(Shape):
    """One change."""

    id: int
    at: str = Field(json_schema_extra={"format": "date-time"})
    actor: str = Field(examples=["operator:chen"])
    action: str = Field(examples=["space.closed"])
    subject: str = Field(examples=["space:KL-017"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


@router.get("/audit", responses=responses(401, 403, 422))
async def list_audit(
    db: Db,
    _person: Annotated[LoggedIn, role(Role.FINANCE)],
    subject: Annotated[str | None, Query(max_length=128, description="Only this, such as `space:KL-017`.")] = None,
    before: Annotated[
        int, Query(ge=1, le=LARGEST_ID, description="Only older than this id: the next page.")
    ] = LARGEST_ID,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100,
) -> list[AuditOut]:
    """Who changed what, when, from what to what."""
    newest = (
        select(
            Audit.id,
            Audit.at,
            Audit.actor,
            Audit.action,
            Audit.subject,
            Audit.before,
            Audit.after,
            Audit.request_id,
        )
        .where(Audit.id < before)
        .order_by(Audit.id.desc())
        .limit(limit)
    )
    if subject is not None:
        newest = newest.where(Audit.subject == subject)
    return [AuditOut(**{**row, "at": rfc3339(row["at"])}) for row in (await db.execute(newest)).mappings()]
