"""``parking exempt``: vehicles that pay nothing."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.exempt import Exemption, add_exemption, end_exemption, list_exemptions
from core.audit import AuditEntry, write_audit
from core.clock import rfc3339
from core.plate import parse_plate
from ops.asking import in_database
from ops.installation import installation_clock
from ops.instants import instant_of
from ops.plate_key import plate_vault

app = typer.Typer(no_args_is_help=True, help="Vehicles that pay nothing.")

ACTOR = "command"
_out = Console(soft_wrap=True, highlight=False)


@app.callback()
def exempt() -> None:
    """Vehicles that pay nothing."""


@app.command()
def add(
    plate: Annotated[str, typer.Argument(help="The number plate; stored so that only the key can read it.")],
    *,
    reason: Annotated[str, typer.Option(help="Why: shown on the bill.")],
    lot: Annotated[list[str] | None, typer.Option(help="Only in this lot; may be repeated.")] = None,
    from_: Annotated[str, typer.Option("--from", help="From when on; now if not given.")] = "",
    to: Annotated[str, typer.Option(help="Until when; for ever if not given.")] = "",
) -> None:
    """Charge a vehicle no longer; counts for bills made from now on, where a warden or a camera saw the plate."""
    now = installation_clock().now()
    facts: dict[str, Any] = {
        "lots": lot or [],
        "valid_from": instant_of(from_) if from_ else now,
        "valid_to": instant_of(to) if to else None,
        "reason": reason,
        "actor": ACTOR,
        "at": now,
    }
    made = asyncio.run(in_database(lambda db: _add(db, plate, facts)))
    _out.print(f"exemption {made.id}: {made.plate} pays nothing")


@app.command("list")
def list_() -> None:
    """Every exemption, plates masked."""
    grid = Table("number", "plate", "lots", "from", "to", "reason", "by", "ended")
    vault = plate_vault()
    for one in asyncio.run(in_database(lambda db: list_exemptions(db, vault))):
        ended = f"{one.ended_at:%Y-%m-%d} by {one.ended_by}" if one.ended_at else ""
        until = f"{one.valid_to:%Y-%m-%d %H:%M}" if one.valid_to else ""
        lots = ", ".join(one.lots) or "all"
        since = f"{one.valid_from:%Y-%m-%d %H:%M}"
        grid.add_row(str(one.id), one.plate, lots, since, until, one.reason, one.added_by, ended)
    Console().print(grid)


@app.command()
def end(number: Annotated[int, typer.Argument(help="The exemption's number, as `list` prints it.")]) -> None:
    """Charge the vehicle again from now on."""
    asyncio.run(in_database(lambda db: _end(db, number)))
    _out.print(f"exemption {number} holds no longer")


async def _add(db: AsyncConnection, plate: str, facts: dict[str, Any]) -> Exemption:
    made = await add_exemption(db, plate_vault(), parse_plate(plate), **facts)
    until = rfc3339(made.valid_to) if made.valid_to else None
    after = {"lots": list(made.lots), "from": rfc3339(made.valid_from), "to": until, "reason": made.reason}
    await _audit(db, "exemption.added", made.id, after=after)
    return made


async def _end(db: AsyncConnection, number: int) -> None:
    await end_exemption(db, None, number, actor=ACTOR, at=datetime.now(UTC))
    await _audit(db, "exemption.ended", number)


async def _audit(db: AsyncConnection, action: str, number: int, **values: Any) -> None:
    entry = AuditEntry(at=datetime.now(UTC), actor=ACTOR, action=action, subject=f"exemption:{number}", **values)
    await write_audit(db, entry)
