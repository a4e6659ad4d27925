"""Which stay a piece of evidence belongs to: the one that stood on the space when the plate was seen. Pure.

A camera sees a car before the sensor under it does, and before anybody knows that it stays; late readings split stays,
join them and take their ground away. So evidence is kept with its place and time, and belongs to a stay only as far as
is known now (S4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import FOR_EVER

AHEAD: Final = timedelta(minutes=2)
"""A camera may see an arrival so much earlier than the sensor does, or its clock says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A stay on the space, void or not."""

    session_id: UUID
    entered_at: datetime
    left_at: datetime | None
    is_void: bool

    def overlap(self, other: "Placed") -> timedelta:
        """How long both of them last together."""
        ends = min(self.left_at or FOR_EVER, other.left_at or FOR_EVER)
        return max(timedelta(), ends - max(self.entered_at, other.entered_at))


def session_for(stays: Iterable[Placed], *, observed_at: datetime, is_claim: bool, current: UUID | None) -> UUID | None:
    """The stay that evidence belongs to; None while there is none.

    What was seen belongs to the stay during which it was seen, else to one that begins just after, else where it was
    said to belong. A claim is about a stay, whenever it is made, and stays there. Where that stay became void, both go
    to the stay that took most of its time.

    Args:
        stays: of the space, around that time.
        observed_at: when the plate was seen, or the claim made.
        is_claim: whether only the driver says so.
        current: the stay it belongs to now, or is said to belong to.
    """
    all_of_them = list(stays)
    real = [stay for stay in all_of_them if not stay.is_void]
    if not is_claim:
        for stay in real:
            if stay.entered_at <= observed_at < (stay.left_at or FOR_EVER):
                return stay.session_id
        arriving = [stay for stay in real if observed_at < stay.entered_at <= observed_at + AHEAD]
        if arriving:
            return min(arriving, key=lambda stay: stay.entered_at).session_id
    if any(stay.session_id == current for stay in real):
        return current
    gone = next((stay for stay in all_of_them if stay.session_id == current), None)
    if gone is None:
        return None
    heirs = [stay for stay in real if stay.overlap(gone)]
    return max(heirs, key=lambda stay: (stay.overlap(gone), -stay.entered_at.timestamp())).session_id if heirs else None
