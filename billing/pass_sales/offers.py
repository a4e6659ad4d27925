"""Passes on sale: offered, listed, taken off sale. What is offered never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.exempt import check_lots
from billing.passes import Rest
from billing.tariff.document import Window
from core.errors import ConflictError, InvalidError, NotFoundError
from core.tables import Lot, PassOffer

LONGEST_DAYS = 3_660


class OfferNotFoundError(NotFoundError):
    """No such pass is on sale. Carries ``offer``."""

    slug = "offer-not-found"


class OfferExistsError(ConflictError):
    """A pass of this code is on sale already. Carries ``offer``."""

    slug = "offer-exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """What is sold, to whom it may concern."""

    code: str
    name: str
    name_en: str
    lots: tuple[str, ...] = ()
    """Codes; empty: everywhere."""
    windows: tuple[Window, ...] = ()
    """Empty: always."""
    rest: Rest = "fresh_tiers"
    days: int
    price_fen: int

    def __post_init__(self) -> None:
        """Refuse an offer that is none."""
        if not 1 <= self.days <= LONGEST_DAYS:
            raise InvalidError(f"a pass is for 1 to {LONGEST_DAYS} days")
        if self.price_fen < 1:
            raise InvalidError("a pass on sale costs something")
        if not (self.name.strip() and self.name_en.strip()):
            raise InvalidError("an offer has a name in both languages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as it is stored."""

    id: int
    terms: OfferTerms
    zone: ZoneInfo
    """On whose wall its days begin."""
    added_by: str
    ended_by: str | None
    ended_at: datetime | None


async def add_offer(db: AsyncConnection, terms: OfferTerms, *, actor: str, at: datetime) -> Offer:
    """Put a pass on sale.

    Raises:
        LotNotFoundError: there is no such lot.
        OfferExistsError: its code is on sale already.
        InvalidError: its lots lie in several time zones, or there are none.
    """
    await check_lots(db, terms.lots)
    zones = select(Lot.zone).distinct()
    if terms.lots:
        zones = zones.where(Lot.code.in_(terms.lots))
    found = list((await db.scalars(zones)).all())
    if len(found) != 1:
        raise InvalidError("a pass is for lots of one time zone, of which there is at least one")
    values = {
        "code": terms.code,
        "name": terms.name,
        "name_en": terms.name_en,
        "lots": list(terms.lots),
        "windows": [window.model_dump(mode="json") for window in terms.windows],
        "rest": terms.rest,
        "days": terms.days,
        "price_fen": terms.price_fen,
        "zone": found[0],
        "added_by": actor,
        "added_at": at,
    }
    try:
        async with db.begin_nested():
            row = (await db.execute(insert(PassOffer).values(values).returning(PassOffer.__table__))).one()
    except IntegrityError as error:
        if "pass_offer_code_key" not in str(error.orig):
            raise InvalidError(f"{terms.code!r} is no code: small letters, digits, - and _") from error
        raise OfferExistsError(f"{terms.code!r} is on sale already: end it first", offer=terms.code) from error
    return offer_of(row)


async def end_offer(db: AsyncConnection, code: str, *, actor: str, at: datetime) -> Offer:
    """Take a pass off sale; what was bought stays bought, an order that is open may still be paid.

    Raises:
        OfferNotFoundError: it is not on sale.
    """
    ended = update(PassOffer).where(PassOffer.code == code, PassOffer.ended_at.is_(None))
    row = (await db.execute(ended.values(ended_by=actor, ended_at=at).returning(PassOffer.__table__))).first()
    if row is None:
        raise OfferNotFoundError(f"no pass {code!r} is on sale", offer=code)
    return offer_of(row)


async def list_offers(db: AsyncConnection, *, ended: bool = False) -> Sequence[Offer]:
    """What is on sale, the cheapest first; with ``ended`` also what was, the newest first."""
    query = select(PassOffer.__table__)
    query = (
        query.order_by(PassOffer.id.desc())
        if ended
        else query.where(PassOffer.ended_at.is_(None)).order_by(PassOffer.price_fen, PassOffer.id)
    )
    return [offer_of(row) for row in await db.execute(query)]


async def fetch_offer(db: AsyncConnection, code: str) -> Offer:
    """The offer of this code that is on sale.

    Raises:
        OfferNotFoundError: there is none.
    """
    query = select(PassOffer.__table__).where(PassOffer.code == code, PassOffer.ended_at.is_(None))
    row = (await db.execute(query)).first()
    if row is None:
        raise OfferNotFoundError(f"no pass {code!r} is on sale", offer=code)
    return offer_of(row)


def offer_of(row: Any) -> Offer:
    """A row as a value."""
    terms = OfferTerms(
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        lots=tuple(row.lots),
        windows=tuple(Window.model_validate(window) for window in row.windows),
        rest=row.rest,
        days=row.days,
        price_fen=row.price_fen,
    )
    return Offer(
        id=row.id,
        terms=terms,
        zone=ZoneInfo(row.zone),
        added_by=row.added_by,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
    )
