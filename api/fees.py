"""A fee as every answer shows it (a quote, a running fee, a bill), and a session with its fee."""

from typing import Literal

from pydantic import Field

from api.shapes import Shape

Moment = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T01:30:00.000Z"])


class FeeLine(Shape):
    """One rule's part of a fee."""

    rule: str = Field(examples=["day"])
    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Moment
    minutes: int
    amount_fen: int
    why: str = Field(examples=["2 × ¥3.00 / 1 hour"])
    calendar_assumed: bool = False
    """Holidays of that date are not announced yet: priced by its weekday."""


class FeeTariff(Shape):
    """Which version of which notice priced it."""

    code: str = Field(examples=["xinchang-kerb"])
    version: int


class FeeVehicle(Shape):
    """As which vehicle it was priced."""

    class_: str = Field(alias="class", examples=["small"])
    assumed: bool
    """Nothing is known of the vehicle: the notice's default class stands in."""
    note: str | None


class Fee(Shape):
    """A fee, explained; ``total_fen`` is the exact sum of its lines."""

    total_fen: int
    currency: str = Field(examples=["CNY"])
    lines: list[FeeLine]
    tariff: FeeTariff | None
    """Null where the lot has no price notice: then nothing is charged."""
    vehicle: FeeVehicle | None = None
    calendar_assumed: bool = False
    next_change_at: str | None = Field(json_schema_extra={"format": "date-time"})
    """Until then the fee stays as it is; null when it is final or never rises."""
    next_total_fen: int | None


class SessionOut(Shape):
    """One vehicle's visit to a space. Nothing in it tells whose."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    space_code: str = Field(examples=["KL-017"])
    lot_id: str = Field(examples=["KL"])
    status: Literal["open", "ended"]
    entered_at: str = Moment
    left_at: str | None = Field(json_schema_extra={"format": "date-time"})
    minutes: int
    """Whole minutes that the fee counts from and to."""
    counted_to: str = Moment
    """Until when the fee is counted: now, the departure, or where the evidence ends."""
    unsure: bool
    """The evidence has a gap; of an open session: its sensor is silent and the fee stands still."""
    fee: Fee
    paid_fen: int
    due_fen: int
    exit_by: str | None = Field(json_schema_extra={"format": "date-time"})
    """After paying: until when the vehicle may leave without another fee."""
