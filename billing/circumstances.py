"""Everything beside the notice and the stay that a fee depends on, as a bill keeps it (B2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.calendar import Calendar, calendar_used, used_days
from billing.coupons import Coupon, coupon_from_json, coupon_to_json
from billing.covers import Cover, cover_from_json, cover_to_json
from billing.lines import Bill, Quote
from billing.pricing import price_stay, quote
from billing.tariff import Tariff
from core.clock import rfc3339
from core.stay import Stay, VehicleClass

LONGEST_WINDOW: Final = timedelta(days=8)
"""A window that is open may have opened so long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of a session's vehicle and its day."""

    calendar: Calendar
    vehicle: VehicleClass | None = None
    """None: the notice's default class, and the bill says so."""
    evidence: str | None = None
    """What the vehicle is known from: ``warden``, ``camera``, ``claim``; none: from nothing."""
    history: tuple[Stay, ...] = ()
    """Earlier stays of the plate under the same notice, where the notice looks at them."""
    covers: tuple[Cover, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    """In the order in which they were given."""

    def bill(self, tariff: Tariff, stay: Stay, zone: ZoneInfo) -> Bill:
        """What the stay costs."""
        return price_stay(
            tariff,
            stay,
            zone=zone,
            vehicle=self.vehicle,
            history=self.history,
            calendar=self.calendar,
            covers=self.covers,
            coupons=self.coupons,
        )

    def quote(self, tariff: Tariff, stay: Stay, zone: ZoneInfo) -> Quote:
        """What it costs so far, and when that changes."""
        return quote(
            tariff,
            stay,
            zone=zone,
            vehicle=self.vehicle,
            history=self.history,
            calendar=self.calendar,
            covers=self.covers,
            coupons=self.coupons,
        )


def kept_with(circumstances: Circumstances, stay: Stay, zone: ZoneInfo) -> dict[str, Any]:
    """The circumstances as the bill of this stay keeps them: of the calendar only the days it may look at."""
    begins = min([stay.entered_at, *(one.entered_at for one in circumstances.history)])
    first, last = (begins - LONGEST_WINDOW).astimezone(zone).date(), stay.left_at.astimezone(zone).date()
    return {
        "vehicle": circumstances.vehicle,
        "evidence": circumstances.evidence,
        "history": [[rfc3339(one.entered_at), rfc3339(one.left_at)] for one in circumstances.history],
        "calendar": used_days(circumstances.calendar, first, last),
        "covers": [cover_to_json(_until(one, stay.left_at)) for one in circumstances.covers],
        "coupons": [coupon_to_json(one) for one in circumstances.coupons],
    }


def circumstances_kept(kept: Mapping[str, Any]) -> Circumstances:
    """The circumstances that a bill keeps."""
    return Circumstances(
        calendar=calendar_used(kept["calendar"]),
        vehicle=VehicleClass(kept["vehicle"]) if kept["vehicle"] is not None else None,
        evidence=kept["evidence"],
        history=tuple(_stay(one) for one in kept["history"]),
        covers=tuple(cover_from_json(one) for one in kept["covers"]),
        coupons=tuple(coupon_from_json(one) for one in kept.get("coupons", ())),
    )


def _until(cover: Cover, left_at: datetime) -> Cover:
    """The cover without what begins only after the departure."""
    return replace(cover, spans=tuple(span for span in cover.spans if span[0] < left_at))


def _stay(kept: tuple[str, str]) -> Stay:
    entered_at, left_at = kept
    return Stay(entered_at=datetime.fromisoformat(entered_at), left_at=datetime.fromisoformat(left_at))
