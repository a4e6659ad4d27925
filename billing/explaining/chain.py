"""What is stored about a session becomes what it means: which reading did what, both results computed again. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from billing.again import price_again
from billing.explaining.facts import Facts, StoredBill, StoredReading
from billing.lines import Bill, bill_from_json, bill_to_json
from billing.tariff import Tariff, load_tariff
from core.clock import instant, milliseconds
from core.session import Span, fold
from core.stay import Stay

AROUND: Final = 2
"""Readings shown before the begin and after the end."""


class Role(StrEnum):
    """What a reading is to the session."""

    BEFORE = "before"
    BEGINS = "begins"
    INSIDE = "inside"
    IN_GAP = "in-gap"
    """It says free, but somebody stood there again so soon that the gap was closed."""
    ENDS = "ends"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A reading and what it means here."""

    reading: StoredReading
    role: Role
    is_late: bool
    """A reading that sorts after it had been received before."""
    came_after: int | None
    """Revision of the newest bill that had been issued when it came."""

    @property
    def delay(self) -> timedelta:
        """From the event to us."""
        return self.reading.received_at - self.reading.at


class Outcome(StrEnum):
    """What computing something again says."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_KEPT = "not-kept"
    """What it was made from is no longer stored."""
    NOT_YET = "not-yet"
    """There is nothing to compare with yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A result computed again from what is stored."""

    outcome: Outcome
    found: str = ""
    """What was found where it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The whole chain."""

    facts: Facts
    readings: tuple[Seen, ...]
    """Inside the stay and just around it."""
    gaps: tuple[tuple[datetime, datetime], ...]
    """Times it stood free, closed because they are shorter than the lot's shortest gap."""
    longest_silence: timedelta
    """Between two successive readings inside it."""
    tariff: Tariff | None
    """The version that the current bill names."""
    bill: Bill | None
    """The current bill's lines; none before the first and where nothing is charged."""
    session_again: Again
    fee_again: Again


def explain(facts: Facts) -> Explanation:
    """What the facts amount to; folds and prices again."""
    current = facts.bills[-1] if facts.bills else None
    tariff = _tariff_of(current)
    bill = bill_from_json(current.fee["bill"]) if current is not None and "bill" in current.fee else None
    seen = _shown(facts)
    inside = [one.reading.at for one in seen if one.role not in {Role.BEFORE, Role.AFTER}]
    return Explanation(
        facts=facts,
        readings=tuple(seen),
        gaps=tuple(_gaps(seen)),
        longest_silence=max((later - earlier for earlier, later in pairwise(inside)), default=timedelta()),
        tariff=tariff,
        bill=bill,
        session_again=_fold_again(facts),
        fee_again=_price_again(facts, current, tariff, bill),
    )


def _shown(facts: Facts) -> list[Seen]:
    late = _late(facts.readings)
    roles = [_role(facts, reading) for reading in facts.readings]
    roles = _with_gaps(facts.readings, roles)
    inside = [index for index, role in enumerate(roles) if role not in {Role.BEFORE, Role.AFTER}]
    first, last = (inside[0], inside[-1]) if inside else (len(roles), len(roles) - 1)
    return [
        Seen(
            reading=facts.readings[index],
            role=roles[index],
            is_late=late[index],
            came_after=_billed_before(facts.bills, facts.readings[index].received_at),
        )
        for index in range(max(first - AROUND, 0), min(last + AROUND + 1, len(roles)))
    ]


def _role(facts: Facts, reading: StoredReading) -> Role:
    if reading.at < facts.entered_at:
        return Role.BEFORE
    if reading.at == facts.entered_at and reading.occupancy == "occupied":
        return Role.BEGINS
    if facts.left_at is None or reading.at < facts.left_at:
        return Role.INSIDE
    if reading.at > facts.left_at:
        return Role.AFTER
    says = "occupied" if facts.end_why == "last_occupied" else "free"
    return Role.ENDS if reading.occupancy == says else Role.AFTER


def _with_gaps(readings: Sequence[StoredReading], roles: list[Role]) -> list[Role]:
    """A reading inside that says free lies in a gap, or else the session would end there."""
    return [
        Role.IN_GAP if role is Role.INSIDE and reading.occupancy == "free" else role
        for reading, role in zip(readings, roles, strict=True)
    ]


def _late(readings: Sequence[StoredReading]) -> list[bool]:
    """Of each reading, in their order: whether a later one had been received before."""
    earliest: datetime | None = None
    late: list[bool] = []
    for reading in reversed(readings):
        late.append(earliest is not None and earliest < reading.received_at)
        earliest = reading.received_at if earliest is None else min(earliest, reading.received_at)
    return late[::-1]


def _billed_before(bills: Sequence[StoredBill], at: datetime) -> int | None:
    return max((bill.session_revision for bill in bills if bill.issued_at <= at), default=None)


def _gaps(seen: Sequence[Seen]) -> list[tuple[datetime, datetime]]:
    gaps: list[tuple[datetime, datetime]] = []
    free_since: datetime | None = None
    occupied_at: datetime | None = None
    for one in seen:
        if one.role is Role.IN_GAP and free_since is None:
            said = one.reading.kind in {"change", "report"} or occupied_at is None
            free_since = one.reading.at if said else occupied_at
        elif one.role in {Role.BEGINS, Role.INSIDE, Role.ENDS} and one.reading.occupancy == "occupied":
            if free_since is not None:
                gaps.append((free_since, one.reading.at))
            free_since, occupied_at = None, one.reading.at
    return gaps


def _fold_again(facts: Facts) -> Again:
    if not facts.is_whole:
        return Again(outcome=Outcome.NOT_KEPT)
    spans = fold((one.as_reading() for one in facts.readings), facts.rules).sessions(facts.rules)
    begin_ms = milliseconds(facts.entered_at)
    found = next((span for span in spans if span.begin_ms == begin_ms), None)
    if facts.status == "void":
        gone = found is None or (facts.left_at is not None and found.end_ms != milliseconds(facts.left_at))
        return Again(outcome=Outcome.EQUAL) if gone else Again(outcome=Outcome.DIFFERENT, found=_span_text(found))
    if found is None:
        near = [span for span in spans if span.end_ms is None or span.end_ms > begin_ms]
        return Again(outcome=Outcome.DIFFERENT, found=_span_text(near[0]) if near else "no session")
    stored = (
        facts.left_at and milliseconds(facts.left_at),
        facts.begin_why,
        facts.end_why,
        facts.closed_gap_ms,
        facts.unsure_why,
        facts.sensor,
    )
    again = (
        found.end_ms,
        found.begin_why,
        found.end_why,
        found.closed_gap_ms,
        found.unsure_why(facts.rules),
        found.sensor,
    )
    return (
        Again(outcome=Outcome.EQUAL) if again == stored else Again(outcome=Outcome.DIFFERENT, found=_span_text(found))
    )


def _span_text(span: Span | None) -> str:
    if span is None:
        return "no session"
    ends = "open" if span.end_ms is None else instant(span.end_ms).isoformat(timespec="milliseconds")
    return f"{instant(span.begin_ms).isoformat(timespec='milliseconds')} to {ends}"


def _price_again(facts: Facts, current: StoredBill | None, tariff: Tariff | None, bill: Bill | None) -> Again:
    if current is None or current.session_revision != facts.revision:
        return Again(outcome=Outcome.NOT_YET)
    if bill is None:
        return Again(outcome=Outcome.EQUAL if current.total_fen == 0 else Outcome.DIFFERENT)
    if tariff is None or facts.left_at is None:
        return Again(
            outcome=Outcome.DIFFERENT, found="the bill has lines, and no notice or no end to compute them from"
        )
    again = price_again(current.fee, tariff, Stay(entered_at=facts.entered_at, left_at=facts.left_at))
    if bill_to_json(again) == current.fee["bill"] and again.total_fen == current.total_fen:
        return Again(outcome=Outcome.EQUAL)
    return Again(outcome=Outcome.DIFFERENT, found=f"{again.total_fen} fen in {len(again.lines)} lines")


def _tariff_of(bill: StoredBill | None) -> Tariff | None:
    if bill is None or bill.document is None:
        return None
    return load_tariff(json.dumps(bill.document).encode())
