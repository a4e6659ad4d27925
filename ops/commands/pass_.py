"""``parking pass``: time paid for in advance."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.pass_sales.offers import OfferTerms, add_offer, end_offer, list_offers
from billing.passes import Pass, PassTerms, add_pass, end_pass, list_passes
from billing.tariff.document import Window
from billing.tariff.words import windows_text
from core.audit import AuditEntry, write_audit
from core.clock import rfc3339
from core.errors import InvalidError
from core.money import yuan_text
from core.plate import parse_plate
from ops.asking import in_database
from ops.instants import instant_of
from ops.plate_key import plate_vault

app = typer.Typer(no_args_is_help=True, help="Passes: time paid for in advance.")

offer_app = typer.Typer(no_args_is_help=True, help="Passes on sale.")
app.add_typer(offer_app, name="offer")

ACTOR = "command"
_out = Console(soft_wrap=True, highlight=False)


@app.callback()
def pass_() -> None:
    """Passes: time paid for in advance."""


@app.command()
def add(
    plates: Annotated[list[str], typer.Argument(metavar="PLATE...", help="One or more; one vehicle at a time.")],
    *,
    from_: Annotated[str, typer.Option("--from", help="The first day or instant.")],
    to: Annotated[str, typer.Option(help="The first day or instant after it.")],
    price_fen: Annotated[int, typer.Option(min=0, help="What it was sold for.")],
    lot: Annotated[list[str] | None, typer.Option(help="Only in this lot; may be repeated.")] = None,
    window: Annotated[
        list[str] | None, typer.Option(help="Off-peak: DAYS@HH:MM-HH:MM, such as workday@18:00-08:00.")
    ] = None,
    clock_goes_on: Annotated[
        bool, typer.Option("--clock-goes-on", help="Afterwards the tiers go on where they stood.")
    ] = False,
) -> None:
    """Give plates a pass; counts for bills made from now on, where a warden or a camera saw the plate."""
    windows = tuple(_window(words) for words in window or [])
    terms = PassTerms(
        kind="off_peak" if windows else "monthly",
        lots=tuple(lot or ()),
        windows=windows,
        rest="clock_goes_on" if clock_goes_on else "fresh_tiers",
        valid_from=instant_of(from_),
        valid_to=instant_of(to),
        price_fen=price_fen,
    )
    made = asyncio.run(in_database(lambda db: _add(db, plates, terms)))
    _out.print(f"pass {made.id} for {', '.join(made.plates)}")


@app.command("list")
def list_() -> None:
    """Every pass, plates masked."""
    grid = Table("number", "kind", "plates", "lots", "windows", "from", "to", "price", "by", "ended")
    vault = plate_vault()
    for one in asyncio.run(in_database(lambda db: list_passes(db, vault))):
        terms = one.terms
        grid.add_row(
            str(one.id),
            terms.kind,
            ", ".join(one.plates),
            ", ".join(terms.lots) or "all",
            ", ".join(f"{'+'.join(each.days)}@{each.opens}-{each.closes}" for each in terms.windows) or "always",
            f"{terms.valid_from:%Y-%m-%d %H:%M}",
            f"{terms.valid_to:%Y-%m-%d %H:%M}",
            yuan_text(terms.price_fen),
            one.added_by,
            f"{one.ended_at:%Y-%m-%d} by {one.ended_by}" if one.ended_at else "",
        )
    Console().print(grid)


@app.command()
def end(number: Annotated[int, typer.Argument(help="The pass's number, as `list` prints it.")]) -> None:
    """End a pass now; stays before keep it."""
    asyncio.run(in_database(lambda db: _end(db, number)))
    _out.print(f"pass {number} is over")


@offer_app.command("add")
def offer_add(
    code: Annotated[str, typer.Argument(help="Small letters, digits, - and _.")],
    *,
    name: Annotated[str, typer.Option(help="In Chinese.")],
    name_en: Annotated[str, typer.Option(help="In English.")],
    days: Annotated[int, typer.Option(min=1, max=3_660, help="For how many days.")],
    price_fen: Annotated[int, typer.Option(min=1, help="What it costs.")],
    lot: Annotated[list[str] | None, typer.Option(help="Only in this lot; may be repeated.")] = None,
    window: Annotated[list[str] | None, typer.Option(help="Off-peak: DAYS@HH:MM-HH:MM; may be repeated.")] = None,
) -> None:
    """Put a pass on sale, for anybody to buy online."""
    terms = OfferTerms(
        code=code,
        name=name,
        name_en=name_en,
        lots=tuple(lot or ()),
        windows=tuple(_window(words) for words in window or []),
        days=days,
        price_fen=price_fen,
    )
    asyncio.run(in_database(lambda db: _add_offer(db, terms)))
    _out.print(f"{code} is on sale for {yuan_text(price_fen)}")


@offer_app.command("list")
def offer_list() -> None:
    """Everything that is or was on sale."""
    grid = Table("code", "name", "lots", "windows", "days", "price", "since", "ended")
    for one in asyncio.run(in_database(lambda db: list_offers(db, ended=True))):
        grid.add_row(
            one.terms.code,
            f"{one.terms.name} · {one.terms.name_en}",
            ", ".join(one.terms.lots) or "all",
            windows_text(one.terms.windows, "en"),
            str(one.terms.days),
            yuan_text(one.terms.price_fen),
            one.added_by,
            f"{one.ended_at:%Y-%m-%d} by {one.ended_by}" if one.ended_at else "",
        )
    Console().print(grid)


@offer_app.command("end")
def offer_end(code: Annotated[str, typer.Argument(help="As `list` prints it.")]) -> None:
    """Take a pass off sale; what was bought stays bought."""
    asyncio.run(in_database(lambda db: _end_offer(db, code)))
    _out.print(f"{code} is no longer on sale")


def _window(words: str) -> Window:
    days, _, hours = words.rpartition("@")
    opens, _, closes = hours.partition("-")
    try:
        return Window(days=tuple(days.split("+")) if days else ("all",), opens=opens, closes=closes)
    except ValidationError as error:
        raise InvalidError(f"{words!r} is no window; one is written like workday@18:00-08:00") from error


async def _add(db: AsyncConnection, plates: list[str], terms: PassTerms) -> Pass:
    parsed = [parse_plate(plate) for plate in plates]
    made = await add_pass(db, plate_vault(), parsed, terms, actor=ACTOR, at=datetime.now(UTC))
    after = {
        "kind": terms.kind,
        "plates": len(made.plates),
        "lots": list(terms.lots),
        "from": rfc3339(terms.valid_from),
        "to": rfc3339(terms.valid_to),
        "price_fen": terms.price_fen,
    }
    await _audit(db, "pass.added", made.id, after=after)
    return made


async def _end(db: AsyncConnection, number: int) -> None:
    await end_pass(db, None, number, actor=ACTOR, at=datetime.now(UTC))
    await _audit(db, "pass.ended", number)


async def _add_offer(db: AsyncConnection, terms: OfferTerms) -> None:
    await add_offer(db, terms, actor=ACTOR, at=datetime.now(UTC))
    after = {"days": terms.days, "price_fen": terms.price_fen, "lots": list(terms.lots)}
    await write_audit(db, _entry("offer.added", f"offer:{terms.code}", after=after))


async def _end_offer(db: AsyncConnection, code: str) -> None:
    await end_offer(db, code, actor=ACTOR, at=datetime.now(UTC))
    await write_audit(db, _entry("offer.ended", f"offer:{code}"))


async def _audit(db: AsyncConnection, action: str, number: int, **values: Any) -> None:
    await write_audit(db, _entry(action, f"pass:{number}", **values))


def _entry(action: str, subject: str, **values: Any) -> AuditEntry:
    return AuditEntry(at=datetime.now(UTC), actor=ACTOR, action=action, subject=subject, **values)
