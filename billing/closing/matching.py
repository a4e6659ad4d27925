"""Three books of one day held against each other: the journal, our orders, the provider's bill. Pure.

A payment is recognised by the provider's transaction number, a refund by ours; never by amount or time. So a payment of
the last second before midnight, which one side counts to the next day, is found and only listed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from billing.providers.port import BillLine
from core.money import Fen

A_DAY: Final = timedelta(days=1)

Kind = Literal["payment", "refund"]
Outcome = Literal["balanced", "explained", "open"]


class Cause(StrEnum):
    """Why two books differ."""

    BOOKED_LATE = "booked-late"
    """We did not know of it; the provider confirmed it and it was booked now."""
    OTHER_DAY = "other-day"
    """One side counts it to the day before or after."""
    HELD = "held"
    """Not on the bill; it may be on the next one, so it waits for a day."""
    MISSING_THERE = "missing-there"
    """We have it and no bill does."""
    MISSING_HERE = "missing-here"
    """The bill has it and we do not."""
    AMOUNT = "amount"
    """Both have it, with different amounts."""
    NOT_IN_JOURNAL = "not-in-journal"
    """The order and its booking do not agree: our own fault."""


EXPLAINED: Final = frozenset({Cause.BOOKED_LATE, Cause.OTHER_DAY, Cause.HELD})
"""Differences that need nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A payment or refund as we know it."""

    kind: Kind
    key: str
    """The provider's transaction number of a payment, our number of a refund."""
    order_no: str
    order_fen: Fen
    """By its own row."""
    journal_fen: Fen
    """By what was booked on the provider's clearing account."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something on which the books do not agree, and why."""

    cause: Cause
    kind: Kind
    key: str
    order_no: str
    bill_fen: Fen | None
    order_fen: Fen | None
    journal_fen: Fen | None
    at: datetime
    bill_day: date | None = None
    """Of ``OTHER_DAY``: whose bill has it."""

    @property
    def is_explained(self) -> bool:
        """Whether it needs nobody."""
        return self.cause in EXPLAINED

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the close."""
        return {
            "cause": str(self.cause),
            "kind": self.kind,
            "key": self.key,
            "order_no": self.order_no,
            "bill_fen": self.bill_fen,
            "order_fen": self.order_fen,
            "journal_fen": self.journal_fen,
            "at": self.at.isoformat(),
            "bill_day": self.bill_day.isoformat() if self.bill_day else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What was stored."""
        return cls(
            **{
                **stored,
                "cause": Cause(stored["cause"]),
                "at": datetime.fromisoformat(stored["at"]),
                "bill_day": date.fromisoformat(stored["bill_day"]) if stored["bill_day"] else None,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is known of one provider's day."""

    day: date
    zone: ZoneInfo
    """Of the provider's calendar."""
    ours: Sequence[Movement]
    """Those of the day, of the day before, and whatever else the day's bill names."""
    bill: Sequence[BillLine]
    billed: Mapping[str, date]
    """On which day's bill each of our movements is, whatever day that is."""
    has_bill_before: bool
    has_bill_after: bool
    booked_now: frozenset[str] = frozenset()
    """Keys that this close has just booked."""


def key_of(line: BillLine) -> str:
    """By what a line of a bill is recognised."""
    return line.refund_no or line.transaction_id


def missing_here(ours: Iterable[Movement], bill: Iterable[BillLine]) -> list[BillLine]:
    """Lines that we have nothing for: to be asked about, and booked if the provider confirms them."""
    known = {movement.key for movement in ours}
    return [line for line in bill if key_of(line) not in known]


def compare(books: Books) -> tuple[Difference, ...]:
    """Every difference with its cause, in the order of time."""
    ours = {movement.key: movement for movement in books.ours}
    found = [_there(books, line, ours.get(key_of(line))) for line in books.bill]
    on_bill = {key_of(line) for line in books.bill}
    found += [_here(books, movement) for movement in books.ours if movement.key not in on_bill]
    found += [_in_itself(movement) for movement in books.ours]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.at, one.key, one.cause)))


def sums_of(books: Books) -> dict[str, dict[str, int]]:
    """What each book says of the day: ``paid``, ``refunded``, and of the bill the provider's ``fee``."""
    today = [movement for movement in books.ours if _day_of(books, movement) == books.day]
    return {
        "orders": _sums((one.kind, one.order_fen) for one in today),
        "journal": _sums((one.kind, one.journal_fen) for one in today),
        "bill": {
            **_sums((_kind(line), line.amount_fen) for line in books.bill),
            "fee": sum(line.fee_fen for line in books.bill),
        },
    }


def _there(books: Books, line: BillLine, ours: Movement | None) -> Difference | None:
    """What is to be said of a line of the bill."""
    if ours is None:
        return _difference(Cause.MISSING_HERE, line, None)
    if ours.order_fen != line.amount_fen:
        return _difference(Cause.AMOUNT, line, ours)
    if ours.key in books.booked_now:
        return _difference(Cause.BOOKED_LATE, line, ours)
    if _day_of(books, ours) != books.day:
        return _difference(Cause.OTHER_DAY, line, ours, bill_day=books.day)
    return None


def _here(books: Books, ours: Movement) -> Difference | None:
    """What is to be said of a movement that is not on the day's bill."""
    billed, own_day = books.billed.get(ours.key), _day_of(books, ours)
    if own_day == books.day:
        if billed is not None:
            return _difference(Cause.OTHER_DAY, None, ours, bill_day=billed)
        return _difference(Cause.MISSING_THERE if books.has_bill_after else Cause.HELD, None, ours)
    if own_day == books.day - A_DAY and books.has_bill_before and billed is None:
        return _difference(Cause.MISSING_THERE, None, ours)  # held yesterday, and not on today's bill either
    return None


def _in_itself(ours: Movement) -> Difference | None:
    return _difference(Cause.NOT_IN_JOURNAL, None, ours) if ours.order_fen != ours.journal_fen else None


def _difference(
    cause: Cause, line: BillLine | None, ours: Movement | None, *, bill_day: date | None = None
) -> Difference:
    if ours is not None:
        kind, key, order_no, at = ours.kind, ours.key, ours.order_no, ours.at
    else:
        assert line is not None  # noqa: S101 - a difference is between something
        kind, key, order_no, at = _kind(line), key_of(line), line.order_no, line.at
    return Difference(
        cause=cause,
        kind=kind,
        key=key,
        order_no=order_no,
        bill_fen=line.amount_fen if line else None,
        order_fen=ours.order_fen if ours else None,
        journal_fen=ours.journal_fen if ours else None,
        at=at,
        bill_day=bill_day,
    )


def _kind(line: BillLine) -> Kind:
    return "refund" if line.refund_no else "payment"


def _day_of(books: Books, movement: Movement) -> date:
    return movement.at.astimezone(books.zone).date()


def _sums(amounts: Iterable[tuple[Kind, int]]) -> dict[str, int]:
    sums = {"paid": 0, "refunded": 0}
    for kind, fen in amounts:
        sums["paid" if kind == "payment" else "refunded"] += fen
    return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """How a provider's day stands."""

    provider: str
    day: date
    outcome: Outcome
    sums: dict[str, dict[str, int]]
    differences: tuple[Difference, ...]
    closed_at: datetime
    closed_by: str


def outcome_of(differences: Sequence[Difference]) -> Outcome:
    """``open`` as long as one difference needs a person."""
    if not differences:
        return "balanced"
    return "explained" if all(one.is_explained for one in differences) else "open"
