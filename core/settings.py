"""What a deployment may change: built once per process from ``PARKING_*`` variables and passed down as plain values."""

from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, PositiveInt, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.clock import Clock, parse_clock
from core.sensor import SILENT_AFTER_HEARTBEATS, VerdictRules


class Settings(BaseSettings):
    """Every setting, with its unit in its name. ``parking doctor`` shows the ones in force."""

    model_config = SettingsConfigDict(env_prefix="PARKING_", frozen=True, extra="ignore")

    database_url: SecretStr | None = None
    """``postgresql://user:password@host:port/name`` of a TimescaleDB; unset: the embedded one."""
    mqtt_url: SecretStr | None = None
    """``mqtt://user:password@host:port`` or ``mqtts://``; unset: the embedded broker."""
    state_dir: Path | None = None
    """The folder of this installation; unset: the user's own."""

    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """The zone of lots that name none."""
    clock: str = ""
    """Empty for real time, else ``real_start_ms/virtual_start_ms/speed``: one virtual clock for every process."""

    mqtt_client_id: str = "parking-ingest"
    """The broker keeps one session for this name; a stand-by uses the same and takes it over."""
    mqtt_version: int = Field(default=4, ge=4, le=5)
    """4 is MQTT 3.1.1 (cheaper in Python), 5 is MQTT 5."""
    mqtt_ca_file: Path | None = None
    """Certificate authority for ``mqtts://``; unset: the system's own."""
    mqtt_keepalive_seconds: int = Field(default=30, ge=2, le=3_600)
    """A connection to the broker over which nothing comes any more is noticed within twice this."""
    batch_size: PositiveInt = Field(default=5_000, le=20_000)
    """Most messages written in one transaction, reached only when a backlog is written down: a space's state is then
    written once for several readings. The broker's window must not be smaller."""
    flush_after_ms: PositiveInt = Field(default=200, le=5_000)
    """Oldest an unwritten reading may get: part of the lag a driver sees on the sign."""
    inbox_limit: PositiveInt = 20_000
    """Messages held in memory at most; beyond it the connection is dropped and the broker queues."""
    future_tolerance_seconds: PositiveInt = 300
    """A reading further ahead of the instant we first received it is refused."""

    sensor_late_heartbeats: float = Field(default=1.5, ge=1, le=SILENT_AFTER_HEARTBEATS)
    """A sensor not heard for longer than so many heartbeat intervals is late; after three it is silent."""
    sensor_flapping_changes: PositiveInt = 20
    """A sensor that changes more often than this within an hour is flapping."""
    sensor_stuck_days: PositiveInt = 3
    """A sensor that says the same for longer, while its lot's others change, is stuck."""
    sensor_battery_low_mv: PositiveInt = 3_000
    """Below it a battery is low, where neither the sensor itself nor its model says otherwise."""
    sensor_battery_low_pct: int = Field(default=15, ge=0, le=100)
    """The same for sensors that report a percentage."""

    keep_readings_days: int = Field(default=180, ge=0)
    """Raw readings, by whole weeks; 0 keeps them for ever. Later than this no late reading changes a session."""
    keep_late_evidence_days: int = Field(default=365, ge=0)
    """Readings that came later than that: from their arrival; 0: for ever."""
    keep_refusals_days: int = Field(default=90, ge=0)
    """Messages that could not be read, from the last time they came; 0: for ever."""
    keep_telemetry_days: int = Field(default=365, ge=0)
    """What sensors said of themselves over time; 0: for ever."""
    keep_space_history_days: int = Field(default=400, ge=0)
    """Use of each space by the quarter of an hour; 0: for ever."""
    keep_lot_history_days: int = Field(default=0, ge=0)
    """Use of each lot by the quarter of an hour; 0: for ever."""

    host: str = "127.0.0.1"
    """Where the api listens."""
    port: int = Field(default=8000, ge=0, le=65_535)
    public_url: str = ""
    """How the api is reached from outside, for printed codes and payment returns; empty: ``http://host:port``."""
    secret_key: SecretStr = SecretStr("")
    """Signs what is printed on spaces and login cookies; at least 32 random characters."""
    plate_key: SecretStr = SecretStr("")
    """Encrypts plates at rest and makes their search tokens; at least 32 random characters."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose ``X-Forwarded-For`` is believed by the rate limiter."""

    log_json: bool = False
    """One JSON object a line (production) instead of coloured text (a terminal)."""
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    """Where ingest and worker serve ``/metrics`` and ``/health``; 0: they do not."""

    @field_validator("zone", mode="before")
    @classmethod
    def _zone_by_name(cls, value: object) -> object:
        return ZoneInfo(value) if isinstance(value, str) else value

    @cached_property
    def the_clock(self) -> Clock:
        """The clock every rule of this process reads."""
        return parse_clock(self.clock)

    @cached_property
    def verdict_rules(self) -> VerdictRules:
        """The numbers by which sensors are judged."""
        return VerdictRules(
            late_after_heartbeats=self.sensor_late_heartbeats,
            flapping_changes=self.sensor_flapping_changes,
            stuck_days=self.sensor_stuck_days,
            battery_low_mv=self.sensor_battery_low_mv,
            battery_low_pct=self.sensor_battery_low_pct,
        )
