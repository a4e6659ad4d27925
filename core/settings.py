"""What a deployment may change: built once per process from ``PARKING_*`` variables and passed down as plain values."""

from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PositiveInt, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.clock import Clock, parse_clock
from core.secret_files import SecretFiles
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
    """Encrypts plates and their photos at rest and makes their search tokens: one key of at least 32 random characters,
    or several as ``number:key``, apart by blanks; the highest number seals, all of them open."""
    photo_dir: Path | None = None
    """Where photos of plates are kept, encrypted; unset: ``photos`` in the state folder."""
    keep_plates_days: int = Field(default=180, ge=0)
    """Plates nobody needs any more, from the last time they were seen; 0: for ever."""
    keep_photos_days: int = Field(default=90, ge=0)
    """Photos of plates, from when they came, longer while the stay is owed for; 0: for ever."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose ``X-Forwarded-For`` is believed by the rate limiter."""

    wechat_merchant_id: str = ""
    """The ``mchid`` of WeChat Pay; this and the five below it make a merchant, or none of them."""
    wechat_app_id: str = ""
    """The official account that the merchant is bound to."""
    wechat_serial: str = ""
    """Serial number of the merchant's API certificate."""
    wechat_private_key: SecretStr = SecretStr("")
    """That certificate's key, PEM."""
    wechat_api_key: SecretStr = SecretStr("")
    """The APIv3 key, 32 characters: decrypts what WeChat sends."""
    wechat_api_key_previous: SecretStr = SecretStr("")
    """The one before, for as long as something encrypted with it may come."""
    wechat_public_key_id: str = ""
    """``PUB_KEY_ID_...`` of WeChat Pay's public key; empty: platform certificates, fetched when first needed."""
    wechat_public_key: SecretStr = SecretStr("")
    """That public key, PEM."""
    wechat_public_key_id_next: str = ""
    """The one that will replace it, or replaced it: both are believed."""
    wechat_public_key_next: SecretStr = SecretStr("")
    """That public key, PEM."""
    wechat_app_secret: SecretStr = SecretStr("")
    """The official account's secret, with which a payer inside WeChat is recognised (JSAPI)."""
    wechat_products: tuple[Literal["native", "jsapi", "h5"], ...] = ("native", "jsapi", "h5")
    """What the merchant has applied for; JSAPI needs the account's secret besides."""
    wechat_api_url: str = "https://api.mch.weixin.qq.com"
    """Another host of WeChat Pay's in a disaster, or a simulated one."""
    wechat_oauth_url: str = "https://api.weixin.qq.com"
    """Where a code becomes an openid."""
    wechat_authorize_url: str = "https://open.weixin.qq.com/connect/oauth2/authorize"
    """Where a browser inside WeChat gets that code."""

    alipay_app_id: str = ""
    """The application at Alipay; this and the three below it make a merchant, or none of them."""
    alipay_seller_id: str = ""
    """The merchant's own number, ``2088...``: money for anybody else is refused."""
    alipay_private_key: SecretStr = SecretStr("")
    """The application's key: PEM, or the single line that Alipay's tool makes."""
    alipay_public_key: SecretStr = SecretStr("")
    """Alipay's public key for this application, not the application's own."""
    alipay_public_key_next: SecretStr = SecretStr("")
    """The one that will replace it, or replaced it: both are believed."""
    alipay_app_certificate: SecretStr = SecretStr("")
    """The application's certificate, PEM, where it signs with one; it and the next, or none of them."""
    alipay_root_certificate: SecretStr = SecretStr("")
    """Alipay's root certificates, PEM: Alipay's own is then given as its public key."""
    alipay_products: tuple[Literal["precreate", "wap", "page"], ...] = ("precreate", "wap", "page")
    """What the merchant has signed for."""
    alipay_api_url: str = "https://openapi.alipay.com/gateway.do"
    """Alipay's gateway, its sandbox, or a simulated one."""

    help_phone: str = Field(default="", max_length=40, pattern=r"^[0-9+() -]*$")
    """Whom somebody at a kiosk may call; empty: nobody."""
    arrears_grace_hours: int = Field(default=24, ge=1, le=8_760)
    """So long after it ended a stay may be paid before it becomes an arrear."""
    arrears_write_off_days: int = Field(default=0, ge=0)
    """What nobody known owes is given up so many days after the stay; 0: never by itself."""
    refund_limit_fen: int = Field(default=5_000, ge=0)
    """Above it an operator's refund waits for a second person."""
    font_file: Path | None = None
    """A font with Chinese characters for paper; unset: the best one found on this machine."""

    basemap: str = ""
    """What is drawn under the town: the address of a MapLibre style, or of raster tiles with ``{z}/{x}/{y}``; empty:
    nothing, the town is drawn from the city file."""
    basemap_origins: tuple[str, ...] = ()
    """Further hosts which that style names: of its tiles and sprites. The page's policy lets in no others."""
    basemap_datum: Literal["wgs84", "gcj02"] = "wgs84"
    """The datum in which it is drawn."""
    basemap_credit: str = ""
    """Whom to name for it, where the style does not."""

    demo_orders_url: str = Field(default="", pattern=r"^(http://127\.0\.0\.1:\d{1,5})?$")
    """Where a simulator on this machine takes orders: people may then park by the map. ``parking demo`` sets it."""

    log_json: bool = False
    """One JSON object a line (production) instead of coloured text (a terminal)."""
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    """Where ingest and worker serve ``/metrics`` and ``/health``; 0: they do not."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then a variable, then the file that a variable with ``_FILE`` names."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("zone", mode="before")
    @classmethod
    def _zone_by_name(cls, value: object) -> object:
        return ZoneInfo(value) if isinstance(value, str) else value

    @cached_property
    def the_clock(self) -> Clock:
        """The clock every rule of this process reads."""
        return parse_clock(self.clock)

    @property
    def the_photo_dir(self) -> Path | None:
        """Where photos are kept; None: nowhere, so none are taken."""
        return self.photo_dir or (self.state_dir / "photos" if self.state_dir else None)

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
