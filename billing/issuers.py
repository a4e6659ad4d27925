"""Who gives coupons: merchants and campaigns, their budgets, and validations by a merchant's own key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.bearing import used_fen
from billing.coupons import Coupon
from billing.exempt import check_lots
from billing.giving import attach_coupon, issue_coupon
from core.errors import ConflictError, InvalidError, NoSessionError, NotFoundError
from core.tables import CouponIssuer, CouponRow, Lot, ParkingSession, Space
from core.tokens import digest_of, new_secret

Gives = Literal["minutes", "percent", "amount"]
USABLE_FOR: Final = timedelta(days=1)


class IssuerNotFoundError(NotFoundError):
    """Nobody of this name gives coupons (any more). Carries ``issuer``."""

    slug = "issuer-not-found"


class IssuerExistsError(ConflictError):
    """Somebody of this name gives coupons already. Carries ``issuer``."""

    slug = "issuer-exists"


class ValidatedBeforeError(ConflictError):
    """This merchant has validated the stay already."""

    slug = "validated-before"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerTerms:
    """Who it is, and what it gives."""

    name: str
    is_merchant: bool
    budget_fen: int | None = None
    gives: tuple[Gives, int] | None = None
    """What one validation gives; None: it has no key, its coupons are issued for it."""
    lots: tuple[str, ...] = ()
    """Where its validations count; empty: everywhere."""

    def __post_init__(self) -> None:
        """Refuse a budget or a gift that is none."""
        if not self.name.strip():
            raise InvalidError("whoever gives coupons has a name: bills show it")
        if self.budget_fen is not None and self.budget_fen < 0:
            raise InvalidError("a budget is nothing or more")
        if self.gives is not None:
            Coupon(kind=self.gives[0], value=self.gives[1], bearer=self.name)

    @classmethod
    def of(
        cls,
        *,
        name: str,
        is_merchant: bool,
        budget_fen: int | None,
        gives_kind: Gives | None,
        gives_value: int | None,
        lots: Sequence[str],
    ) -> "IssuerTerms":
        """As somebody writes them down: a kind and its value come together."""
        if (gives_kind is None) != (gives_value is None):
            raise InvalidError("what a validation gives is a kind and a value, or nothing")
        gives = (gives_kind, gives_value) if gives_kind is not None and gives_value is not None else None
        return cls(name=name, is_merchant=is_merchant, budget_fen=budget_fen, gives=gives, lots=tuple(lots))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """As it is stored, with what its coupons have come to."""

    id: int
    terms: IssuerTerms
    used_fen: int
    validations: int
    added_by: str
    ended_by: str | None


async def add_issuer(db: AsyncConnection, terms: IssuerTerms, *, actor: str, at: datetime) -> tuple[Issuer, str | None]:
    """Let somebody give coupons; the key that validates, where it has one, is shown this once.

    Raises:
        IssuerExistsError: the name is taken.
        LotNotFoundError: there is no such lot.
    """
    await check_lots(db, terms.lots)
    key = new_secret("merchant") if terms.gives else None
    kind, value = terms.gives or (None, None)
    values = {
        "name": terms.name,
        "is_merchant": terms.is_merchant,
        "budget_fen": terms.budget_fen,
        "gives_kind": kind,
        "gives_value": value,
        "lots": list(terms.lots),
        "key_digest": digest_of(key) if key else None,
        "added_by": actor,
        "added_at": at,
    }
    try:
        async with db.begin_nested():
            row = (await db.execute(insert(CouponIssuer).values(values).returning(CouponIssuer.__table__))).one()
    except IntegrityError as error:
        raise IssuerExistsError(f"{terms.name!r} gives coupons already", issuer=terms.name) from error
    return _issuer(row, await used_fen(db, terms.name)), key


async def end_issuer(db: AsyncConnection, number: int, *, actor: str, at: datetime) -> Issuer:
    """Its key validates no more, and its coupons that are on no stay are withdrawn.

    Raises:
        IssuerNotFoundError: there is none of this number that is not ended.
    """
    ended = update(CouponIssuer).where(CouponIssuer.id == number, CouponIssuer.ended_at.is_(None))
    row = (await db.execute(ended.values(ended_by=actor, ended_at=at).returning(CouponIssuer.__table__))).first()
    if row is None:
        raise IssuerNotFoundError(f"there is no issuer {number} that is not ended", issuer=number)
    unused = update(CouponRow).where(
        CouponRow.bearer == row.name, CouponRow.session_id.is_(None), CouponRow.withdrawn_at.is_(None)
    )
    await db.execute(unused.values(withdrawn_by=actor, withdrawn_at=at))
    return _issuer(row, await used_fen(db, row.name))


async def list_issuers(db: AsyncConnection) -> Sequence[Issuer]:
    """Everybody who gives or gave coupons, by name."""
    rows = (await db.execute(select(CouponIssuer.__table__).order_by(CouponIssuer.name))).all()
    return [_issuer(row, await used_fen(db, row.name)) for row in rows]


async def find_issuer_by_key(db: AsyncConnection, key: str) -> Issuer | None:
    """Whose key this is, if it is not ended."""
    query = select(CouponIssuer.__table__).where(
        CouponIssuer.key_digest == digest_of(key), CouponIssuer.ended_at.is_(None)
    )
    row = (await db.execute(query)).first()
    return _issuer(row, 0) if row else None


async def validate_space(db: AsyncConnection, issuer: Issuer, space_code: str, *, at: datetime) -> Coupon:
    """A merchant pays its part for whoever stands on a space now; once for each stay.

    Raises:
        NoSessionError: nobody does, there is no such space, or it lies in none of the merchant's lots: not told apart.
        ValidatedBeforeError: it has done so for this stay.
        CouponRefusedError, BudgetUsedUpError: see there.
    """
    query = (
        select(ParkingSession.id, Lot.code)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(Space.code == space_code, ParkingSession.status == "open")
        .with_for_update(of=ParkingSession)
    )
    stay = (await db.execute(query)).first()
    lots = issuer.terms.lots
    if stay is None or issuer.terms.gives is None or (lots and stay.code not in lots):
        raise NoSessionError(f"nothing is parked on {space_code} that you could validate", space_code=space_code)
    if await _has_validated(db, issuer.terms.name, stay.id):
        raise ValidatedBeforeError("you have validated this stay already")
    kind, value = issuer.terms.gives
    coupon = Coupon(kind=kind, value=value, bearer=issuer.terms.name)
    actor = f"merchant:{issuer.id}"
    code = await issue_coupon(db, coupon, lots=lots, valid_to=at + USABLE_FOR, after_payment=True, actor=actor, at=at)
    await attach_coupon(db, code, stay.id, actor=actor, at=at)
    counted = update(CouponIssuer).where(CouponIssuer.id == issuer.id)
    await db.execute(counted.values(validations=CouponIssuer.validations + 1))
    return coupon


async def _has_validated(db: AsyncConnection, name: str, session_id: UUID) -> bool:
    given = select(CouponRow.id).where(CouponRow.session_id == session_id, CouponRow.bearer == name)
    return (await db.execute(given.where(CouponRow.attached_by.startswith("merchant:")))).first() is not None


def _issuer(row: Any, used: int) -> Issuer:
    terms = IssuerTerms(
        name=row.name,
        is_merchant=row.is_merchant,
        budget_fen=row.budget_fen,
        gives=(row.gives_kind, row.gives_value) if row.gives_kind else None,
        lots=tuple(row.lots),
    )
    return Issuer(
        id=row.id,
        terms=terms,
        used_fen=used,
        validations=row.validations,
        added_by=row.added_by,
        ended_by=row.ended_by,
    )
