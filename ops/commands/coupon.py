"""``parking coupon``: coupons and merchants' validations."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.coupons import Coupon, CouponKind
from billing.giving import attach_coupon, detach_coupon, issue_coupon, list_coupons, withdraw_coupon
from billing.issuers import Gives, IssuerTerms, add_issuer, end_issuer, list_issuers
from core.audit import AuditEntry, write_audit
from core.errors import InvalidError
from core.money import yuan_text
from ops.asking import in_database
from ops.instants import instant_of

app = typer.Typer(no_args_is_help=True, help="Coupons and merchants' validations.")

issuer_app = typer.Typer(no_args_is_help=True, help="Who gives coupons, and up to which budget.")
app.add_typer(issuer_app, name="issuer")

ACTOR = "command"
_out = Console(soft_wrap=True, highlight=False)


@app.callback()
def coupon() -> None:
    """Coupons and merchants' validations."""


@app.command()
def issue(
    *,
    bearer: Annotated[str, typer.Option(help="Who pays for it: shown on the bill.")],
    minutes: Annotated[int, typer.Option(min=0, help="So many charged minutes off.")] = 0,
    percent: Annotated[int, typer.Option(min=0, max=100, help="So much of the fee off.")] = 0,
    amount_fen: Annotated[int, typer.Option(min=0, help="So much off.")] = 0,
    free_until: Annotated[str, typer.Option(help="Nothing is charged before this instant.")] = "",
    lot: Annotated[list[str] | None, typer.Option(help="Only in this lot; may be repeated.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3_660, help="How long it may be used.")] = 30,
    only_before_bill: Annotated[bool, typer.Option("--only-before-bill", help="Not for billed stays.")] = False,
) -> None:
    """Make a coupon; prints its code. A merchant's validation is one that is attached at once."""
    given: dict[CouponKind, int] = {"minutes": minutes, "percent": percent, "amount": amount_fen}
    kinds = [kind for kind, value in given.items() if value]
    if len(kinds) + bool(free_until) != 1:
        raise InvalidError("a coupon is one of --minutes, --percent, --amount-fen, --free-until")
    if free_until:
        made = Coupon(kind="free_until", until=instant_of(free_until), bearer=bearer)
    else:
        made = Coupon(kind=kinds[0], value=given[kinds[0]], bearer=bearer)
    facts = {"lots": lot or [], "after_payment": not only_before_bill}
    _out.print(asyncio.run(in_database(lambda db: _issue(db, made, days, facts))))


@app.command("list")
def list_() -> None:
    """The newest coupons and where they are."""
    grid = Table("code", "kind", "value", "bearer", "until", "stay", "withdrawn by")
    for one in asyncio.run(in_database(list_coupons)):
        value = f"{one.coupon.until:%Y-%m-%d %H:%M}" if one.coupon.until else str(one.coupon.value)
        stay = str(one.session_id) if one.session_id else ""
        usable = f"{one.valid_to:%Y-%m-%d}"
        grid.add_row(one.code, one.coupon.kind, value, one.coupon.bearer, usable, stay, one.withdrawn_by or "")
    Console().print(grid)


@app.command()
def attach(code: str, session: UUID) -> None:
    """Give a coupon to a stay; a billed one is billed once more, and what was paid too much goes back."""
    asyncio.run(in_database(lambda db: _attach(db, code, session)))
    _out.print(f"{code} is on {session}")


@app.command()
def detach(code: str) -> None:
    """Take a coupon off its stay, unless the stay was paid with it."""
    asyncio.run(in_database(lambda db: _detach(db, code)))
    _out.print(f"{code} is free again")


@app.command()
def withdraw(code: str) -> None:
    """Let nobody use a coupon any more."""
    asyncio.run(in_database(lambda db: _withdraw(db, code)))
    _out.print(f"{code} is withdrawn")


@issuer_app.command("add")
def issuer_add(
    name: Annotated[str, typer.Argument(help="As bills show it; coupons name it as their bearer.")],
    *,
    operator: Annotated[bool, typer.Option("--operator", help="Borne by the operator, not by a merchant.")] = False,
    budget_fen: Annotated[int | None, typer.Option(min=0, help="At most so much in all.")] = None,
    minutes: Annotated[int, typer.Option(min=0, help="One validation gives so many minutes.")] = 0,
    percent: Annotated[int, typer.Option(min=0, max=100, help="Or so much of the fee.")] = 0,
    amount_fen: Annotated[int, typer.Option(min=0, help="Or so much.")] = 0,
    lot: Annotated[list[str] | None, typer.Option(help="Only in this lot; may be repeated.")] = None,
) -> None:
    """Let a merchant or a campaign give coupons; prints the key that validates stays, where it has one, once."""
    given: dict[Gives, int] = {"minutes": minutes, "percent": percent, "amount": amount_fen}
    kinds = [kind for kind, value in given.items() if value]
    if len(kinds) > 1:
        raise InvalidError("a validation gives one of --minutes, --percent, --amount-fen, or nothing")
    terms = IssuerTerms(
        name=name,
        is_merchant=not operator,
        budget_fen=budget_fen,
        gives=(kinds[0], given[kinds[0]]) if kinds else None,
        lots=tuple(lot or ()),
    )
    number, key = asyncio.run(in_database(lambda db: _add_issuer(db, terms)))
    _out.print(f"issuer {number}" + (f", key {key}" if key else ""))


@issuer_app.command("list")
def issuer_list() -> None:
    """Who gives or gave coupons, and what they have come to."""
    grid = Table("number", "name", "borne by", "budget", "used", "one validation", "validations", "ended by")
    for one in asyncio.run(in_database(list_issuers)):
        terms = one.terms
        grid.add_row(
            str(one.id),
            terms.name,
            "merchant" if terms.is_merchant else "operator",
            yuan_text(terms.budget_fen) if terms.budget_fen is not None else "no limit",
            yuan_text(one.used_fen),
            f"{terms.gives[1]} {terms.gives[0]}" if terms.gives else "",
            str(one.validations),
            one.ended_by or "",
        )
    Console().print(grid)


@issuer_app.command("end")
def issuer_end(number: Annotated[int, typer.Argument(help="As `list` prints it.")]) -> None:
    """End an issuer: its key validates no more, its unused coupons are withdrawn."""
    asyncio.run(in_database(lambda db: _end_issuer(db, number)))
    _out.print(f"issuer {number} gives coupons no more")


async def _issue(db: AsyncConnection, made: Coupon, days: int, facts: dict[str, Any]) -> str:
    at = datetime.now(UTC)
    code = await issue_coupon(db, made, valid_to=at + timedelta(days=days), actor=ACTOR, at=at, **facts)
    await _audit(db, "coupon.issued", code, after={"kind": made.kind, "value": made.value, "bearer": made.bearer})
    return code


async def _attach(db: AsyncConnection, code: str, session_id: UUID) -> None:
    await attach_coupon(db, code, session_id, actor=ACTOR, at=datetime.now(UTC))
    await _audit(db, "coupon.attached", code, after={"session": str(session_id)})


async def _detach(db: AsyncConnection, code: str) -> None:
    await detach_coupon(db, code, at=datetime.now(UTC))
    await _audit(db, "coupon.detached", code)


async def _withdraw(db: AsyncConnection, code: str) -> None:
    await withdraw_coupon(db, code, actor=ACTOR, at=datetime.now(UTC))
    await _audit(db, "coupon.withdrawn", code)


async def _add_issuer(db: AsyncConnection, terms: IssuerTerms) -> tuple[int, str | None]:
    made, key = await add_issuer(db, terms, actor=ACTOR, at=datetime.now(UTC))
    after = {"is_merchant": terms.is_merchant, "budget_fen": terms.budget_fen}
    await write_audit(db, _entry("issuer.added", f"issuer:{made.id}", after=after))
    return made.id, key


async def _end_issuer(db: AsyncConnection, number: int) -> None:
    await end_issuer(db, number, actor=ACTOR, at=datetime.now(UTC))
    await write_audit(db, _entry("issuer.ended", f"issuer:{number}"))


async def _audit(db: AsyncConnection, action: str, code: str, **values: Any) -> None:
    await write_audit(db, _entry(action, f"coupon:{code}", **values))


def _entry(action: str, subject: str, **values: Any) -> AuditEntry:
    return AuditEntry(at=datetime.now(UTC), actor=ACTOR, action=action, subject=subject, **values)
