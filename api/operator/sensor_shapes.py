"""What the operator's routes for sensors take and give."""

from typing import Any, Final

from fastapi import Path
from pydantic import Field
from pydantic.config import JsonDict

from api.deps import Instant
from api.shapes import Shape
from core.clock import rfc3339
from core.registry import listing
from core.registry.entry import MAX_BATTERY_MV, MAX_HEARTBEAT_SECONDS, SensorEntry
from core.sensor import CODECS, NAMES, Lang, Verdict, VerdictRules, rule_in_words

AN_INSTANT: Final[JsonDict] = {"format": "date-time"}
A_SENSOR_ID: Final = r"^[^\x00-\x1f\x7f-\x9f/+#\s]([^\x00-\x1f\x7f-\x9f/+#]*[^\x00-\x1f\x7f-\x9f/+#\s])?$"
A_TEXT: Final = r"^[^\x00]*$"


def in_path(example: str) -> Any:
    """What a sensor's id in a path may be, with an example of the demo city."""
    return Path(
        max_length=128,
        pattern=A_SENSOR_ID,
        description="A sensor's id.",
        openapi_examples={"a sensor of the demo city": {"value": example}},
    )


class SensorIn(Shape):
    """A sensor: how to read it, how often it speaks, what it is."""

    codec: str = Field("native", max_length=64, examples=["native"], json_schema_extra={"enum": list(CODECS)})
    """How to read its payloads."""
    heartbeat_seconds: int = Field(3_600, ge=1, le=MAX_HEARTBEAT_SECONDS, examples=[3600])
    """How often it speaks at least."""
    maker: str | None = Field(None, max_length=200, pattern=A_TEXT, examples=["Example Parking"])
    model: str | None = Field(None, max_length=200, pattern=A_TEXT, examples=["P-1"])
    battery_low_mv: int | None = Field(None, ge=1, le=MAX_BATTERY_MV, examples=[3100])
    """Below it this sensor's battery is low; unset: its model's or the installation's limit."""
    note: str | None = Field(None, max_length=1_000, pattern=A_TEXT, examples=["behind the bus stop"])

    def entry(self, code: str) -> SensorEntry:
        """As the registry keeps it, under this id."""
        known = ("codec", "heartbeat_seconds", "maker", "model", "battery_low_mv", "note")
        return SensorEntry(code=code, **{name: getattr(self, name) for name in known})


class NewSensorIn(SensorIn):
    """A sensor to be registered."""

    sensor_id: str = Field(max_length=128, pattern=A_SENSOR_ID, examples=["70b3d5e75e001a2f"])
    """Free text; LoRaWAN: DevEUI in lower-case hex; NB-IoT: IMEI."""


class AssignIn(Shape):
    """Which space a sensor watches, and since when."""

    space_code: str = Field(max_length=64, pattern=A_TEXT, examples=["KL-019"])
    at: Instant | None = Field(None, examples=["2025-03-10T09:00:00+08:00"])
    """From then on; now, if left out. The past is fine: readings and sessions follow."""


class AdoptIn(AssignIn, SensorIn):
    """A sender that becomes a sensor; without ``at`` since its oldest refused reading."""

    space_code: str = Field(max_length=64, pattern=A_TEXT, examples=["KL-018"])


class UnassignIn(Shape):
    """Since when a sensor watches nothing."""

    at: Instant | None = Field(None, examples=["2025-03-10T09:00:00+08:00"])
    """From then on; now, if left out."""


class SwapIn(Shape):
    """What a sensor is replaced by."""

    new_sensor_id: str = Field(max_length=128, pattern=A_SENSOR_ID, examples=["70b3d5e75e001a30"])
    """Registered like the old one, if it is not registered yet."""
    at: Instant | None = Field(None, examples=["2025-03-10T09:00:00+08:00"])
    """When they were swapped; now, if left out. Noting it again puts the first note right."""


class SensorFileIn(Shape):
    """A file of sensors."""

    csv: str = Field(max_length=20_000_000, examples=["sensor_id,model\n70b3d5e75e001a2f,P-2\n"])
    """As ``/sensors.csv`` writes it. Columns that are left out stay as they are."""


class FileReportOut(Shape):
    """What an import of sensors did."""

    added: int
    changed: int
    unchanged: int
    assigned: int
    unassigned: int


class SensorOut(Shape):
    """A sensor as it is."""

    sensor_id: str
    codec: str
    maker: str | None
    model: str | None
    firmware: str | None
    """As it reported it."""
    heartbeat_seconds: int
    battery_low_mv: int | None
    note: str | None
    created_at: str = Field(json_schema_extra=AN_INSTANT)
    space_code: str | None
    """What it watches now; null: nothing, and then it is not judged."""
    lot_id: str | None
    watching_since: str | None = Field(json_schema_extra=AN_INSTANT)
    """Null while it watches nothing, or from ever."""
    verdict: str | None = Field(examples=["silent"])
    """The worst that holds; null while it watches nothing, or before it was judged first."""
    verdict_since: str | None = Field(json_schema_extra=AN_INSTANT)
    verdicts: list[str] = Field(examples=[["silent", "low-battery"]])
    """All that hold, the worst first."""
    last_heard_at: str | None = Field(json_schema_extra=AN_INSTANT)
    observed_at: str | None = Field(json_schema_extra=AN_INSTANT)
    """Event time of the values that follow."""
    battery_mv: int | None
    battery_pct: int | None
    battery_low: bool | None
    rssi_dbm: int | None
    temperature_c: float | None


class RuleOut(Shape):
    """A verdict, how many sensors have it, and why one gets it."""

    verdict: str = Field(examples=["silent"])
    name: str = Field(examples=["失联"])
    rule: str
    """One sentence, with the numbers in force, in the language of ``Accept-Language``."""
    sensors: int


class SensorsOut(Shape):
    """One page of sensors, the worst first."""

    total: int
    """On all pages, of what was asked for."""
    verdicts: list[RuleOut]
    """Of all sensors, the worst first; one may have several."""
    unassigned: int
    """How many watch nothing."""
    sensors: list[SensorOut]


class WatchOut(Shape):
    """A space that a sensor watched."""

    space_code: str
    lot_id: str
    begins: str | None = Field(json_schema_extra=AN_INSTANT)
    """Null: from ever."""
    ends: str | None = Field(json_schema_extra=AN_INSTANT)
    """Null: until further notice."""


class HeldOut(Shape):
    """A verdict over time."""

    verdict: str
    began_at: str = Field(json_schema_extra=AN_INSTANT)
    ended_at: str | None = Field(json_schema_extra=AN_INSTANT)


class TelemetryOut(Shape):
    """What a sensor said of itself."""

    observed_at: str = Field(json_schema_extra=AN_INSTANT)
    battery_mv: int | None
    battery_pct: int | None
    battery_low: bool | None
    rssi_dbm: int | None
    temperature_c: float | None
    firmware: str | None


class ReassignmentOut(Shape):
    """A look at a sensor's readings that a change of its assignments asked for."""

    from_at: str | None = Field(json_schema_extra=AN_INSTANT)
    """Readings from then on; null: all."""
    asked_at: str = Field(json_schema_extra=AN_INSTANT)
    done_at: str | None = Field(json_schema_extra=AN_INSTANT)
    """Null while ingest has not got to it: a second or so, unless it is away."""
    moved: int
    """Readings that went to another space."""
    taken_in: int
    """Readings that had been refused."""
    set_aside: int
    """Readings that are refused now."""


class SensorStoryOut(SensorOut):
    """A sensor with its past, the newest first."""

    watches: list[WatchOut]
    verdict_history: list[HeldOut]
    telemetry: list[TelemetryOut]
    """Thinned: a row an hour, and what changed notably."""
    reassignments: list[ReassignmentOut]


class StrangerOut(Shape):
    """A sender that is not registered."""

    sensor_id: str
    times: int
    """How many messages came."""
    kinds: int
    """How many of them were different ones."""
    first_at: str = Field(json_schema_extra=AN_INSTANT)
    last_at: str = Field(json_schema_extra=AN_INSTANT)
    topic: str


def sensor_out(row: listing.Row) -> dict[str, Any]:
    """A sensor as the listing gives it, for ``SensorOut``."""
    return {"sensor_id": row["code"], **shown(row)}


def shown(row: listing.Row) -> dict[str, Any]:
    """A row with its instants in words."""
    return {name: rfc3339(value) if hasattr(value, "astimezone") else value for name, value in row.items()}


def story_out(story: listing.SensorStory) -> SensorStoryOut:
    """Everything about one sensor."""
    return SensorStoryOut.model_validate(
        {
            **sensor_out(story.sensor),
            "watches": [shown(row) for row in story.watches],
            "verdict_history": [shown(row) for row in story.verdicts],
            "telemetry": [shown(row) for row in story.telemetry],
            "reassignments": [shown(row) for row in story.reassignments],
        }
    )


def rules_out(counts: dict[str, int], rules: VerdictRules, lang: Lang) -> list[RuleOut]:
    """Every verdict with its rule and how many sensors have it, the worst first."""
    return [
        RuleOut(
            verdict=verdict.value,
            name=NAMES[verdict][lang],
            rule=rule_in_words(verdict, rules, lang),
            sensors=counts[verdict.value],
        )
        for verdict in Verdict
    ]
