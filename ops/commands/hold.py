"""``parking hold``: bills that wait for a person, and what makes a bill wait."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.holds import list_held, release_bill
from core.audit import AuditEntry, write_audit
from core.errors import LotNotFoundError
from core.money import Fen, yuan_text
from core.tables import Lot
from ops.asking import in_database

app = typer.Typer(no_args_is_help=True, help="Bills that wait for a person.")

ACTOR = "command"
_out = Console(soft_wrap=True, highlight=False)

Limit = Annotated[int | None, typer.Option(min=0, help="0 switches this rule off.")]


@app.callback()
def hold() -> None:
    """Bills that wait for a person."""


@app.command("list")
def list_() -> None:
    """Bills that are held, and why; those held longest first."""
    grid = Table("session", "space", "entered", "left", "fee", "why", "held since")
    for one in asyncio.run(in_database(list_held)):
        left = f"{one.left_at:%Y-%m-%d %H:%M}" if one.left_at else ""
        grid.add_row(
            str(one.session_id),
            one.space_code,
            f"{one.entered_at:%Y-%m-%d %H:%M}",
            left,
            yuan_text(Fen(one.total_fen)),
            ", ".join(one.reasons),
            f"{one.held_at:%Y-%m-%d %H:%M}",
        )
    Console().print(grid)


@app.command()
def release(session: UUID, *, reason: Annotated[str, typer.Option(help="What the evidence shows.")]) -> None:
    """Let a session's bill go its way: somebody has looked at the evidence."""
    asyncio.run(in_database(lambda db: _release(db, session, reason)))
    _out.print(f"the bill of {session} is held no longer")


@app.command()
def rules(
    lot: Annotated[str, typer.Argument(help="The lot's code.")],
    *,
    late_minutes: Limit = None,
    stay_hours: Limit = None,
    above_fen: Limit = None,
) -> None:
    """What makes a lot's bills wait: late arrivals, long stays, high fees; unsure sessions always do."""
    given = {"hold_late_minutes": late_minutes, "hold_stay_hours": stay_hours, "hold_above_fen": above_fen}
    wanted = {name: value for name, value in given.items() if value is not None}
    now = asyncio.run(in_database(lambda db: _rules(db, lot, wanted)))
    _out.print(
        f"{lot}: held when the arrival is heard of later than {now['hold_late_minutes']} min, when the stay is longer "
        f"than {now['hold_stay_hours']} h, when the fee is above {yuan_text(Fen(now['hold_above_fen']))}"
    )


async def _release(db: AsyncConnection, session_id: UUID, reason: str) -> None:
    at = datetime.now(UTC)
    held = await release_bill(db, session_id, reason=reason, actor=ACTOR, at=at)
    before = {"reasons": list(held.reasons), "total_fen": held.total_fen}
    await _audit(db, "bill.released", f"session:{session_id}", before=before, after={"reason": reason})


async def _rules(db: AsyncConnection, code: str, wanted: dict[str, int]) -> dict[str, int]:
    columns = select(Lot.hold_late_minutes, Lot.hold_stay_hours, Lot.hold_above_fen).where(Lot.code == code)
    row = (await db.execute(columns.with_for_update())).mappings().first()
    if row is None:
        raise LotNotFoundError(f"no lot has the code {code!r}", lot_id=code)
    before = {name: int(value) for name, value in row.items()}
    if wanted:
        await db.execute(update(Lot).where(Lot.code == code).values(wanted))
        await _audit(db, "lot.hold_rules_set", f"lot:{code}", before=before, after=wanted)
    return before | wanted


async def _audit(db: AsyncConnection, action: str, subject: str, **values: Any) -> None:
    await write_audit(db, AuditEntry(at=datetime.now(UTC), actor=ACTOR, action=action, subject=subject, **values))
