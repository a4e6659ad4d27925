"""What people really paid against payments and journal: each once, with its fen, by its way, and none beside. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ops.verify.report import Difference, Way, Why
from simulator.drivers.told import PaymentLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One payment as it is stored, with what the journal has booked of it."""

    payment_id: str
    purpose: str
    """``stay``, ``arrear`` or ``pass``."""
    session_id: str | None
    space: str | None
    entered_at: str | None
    channel: str
    status: str
    amount_fen: int
    received_fen: int | None
    bookings: int
    """Entries that say that it came in."""
    booked_fen: int


_PURPOSES: Final[Mapping[str, Collection[str]]] = {"session": ("stay", "arrear"), "pass": ("pass",)}
_OPENS: Final = {"wechat": "wechat_native", "alipay": "alipay_precreate"}
"""Whoever chooses only a provider is shown its code."""


def compare_payments(
    told: Mapping[str, PaymentLine],
    stored: Sequence[Received],
    *,
    known: Collection[str],
    visited: Collection[tuple[str, str]],
) -> Iterator[Difference]:
    """Every difference between what people say they paid and what is stored.

    Args:
        told: the last word of each payment, as it was before the stored ones were read.
        stored: those that are asked for, paid or not.
        known: ids of all payments that people began until after the stored ones were read.
        visited: spaces and begins of stays of visitors who park by the map; they tell nobody what they pay.
    """
    by_id = {one.payment_id: one for one in stored}
    for payment_id, line in told.items():
        if line.state == "paid":
            yield from _of_paid(line, by_id.get(payment_id))
    for one in stored:
        is_visitors = (one.space or "", one.entered_at or "") in visited
        if one.status == "paid" and one.payment_id not in known and not is_visitors:
            yield _of(Why.PAID_BY_NOBODY, one, f"{one.received_fen} fen by {one.channel} that none of the people paid")
        if one.status == "paid" and (one.bookings, one.booked_fen) != (1, one.received_fen):
            words = f"received {one.received_fen} fen, booked {one.bookings} times, {one.booked_fen} fen together"
            yield _of(Why.NOT_BOOKED, one, words)


def ways(told: Mapping[str, PaymentLine], stored: Sequence[Received]) -> Iterator[Way]:
    """By each way: what people paid, and what is stored of that; those cut off count where money moved."""
    by_id = {one.payment_id: one for one in stored if one.status == "paid"}
    for channel in sorted({line.channel for line in told.values()}):
        of_it = {payment_id: line for payment_id, line in told.items() if line.channel == channel}
        paid = [line.amount_fen for key, line in of_it.items() if line.state == "paid" or key in by_id]
        came = [by_id[payment_id].received_fen or 0 for payment_id in of_it if payment_id in by_id]
        yield Way(way=channel, told=len(paid), told_fen=sum(paid), stored=len(came), stored_fen=sum(came))


def _of_paid(line: PaymentLine, one: Received | None) -> Iterator[Difference]:
    if one is None or one.status != "paid":
        state = "is not stored" if one is None else f"is stored as {one.status}"
        yield Difference(
            why=Why.PAYMENT_MISSING,
            space=line.space,
            session_id=line.session_id,
            entered_at=line.at,
            detail=f"{line.amount_fen} fen paid by {line.channel} at the {line.by}: payment {line.payment_id} {state}",
        )
        return
    wrong = [
        f"{name} {there}, paid was {here}"
        for name, here, there in (
            ("amount", line.amount_fen, one.received_fen),
            ("way", line.channel, line.channel if one.channel == _OPENS.get(line.channel) else one.channel),
            ("stay", line.session_id, one.session_id),
        )
        if here != there
    ]
    if one.purpose not in _PURPOSES[line.purpose]:
        wrong.append(f"purpose {one.purpose}, paid was a {line.purpose}")
    if wrong:
        yield _of(Why.PAYMENT_DIFFERS, one, "; ".join(wrong))


def _of(why: Why, one: Received, detail: str) -> Difference:
    return Difference(
        why=why,
        space=one.space,
        session_id=one.session_id,
        entered_at=one.entered_at,
        detail=f"payment {one.payment_id}: {detail}",
    )
