"""What the registry keeps of a sensor, beside what it watches. Pure."""

from dataclasses import dataclass
from typing import Final

from core.errors import InvalidError
from core.sensor import CODECS
from core.wire import is_sensor_id

MAX_HEARTBEAT_SECONDS: Final = 7 * 86_400
MAX_BATTERY_MV: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorEntry:
    """A sensor: how to read it, how often it speaks, what it is."""

    code: str
    codec: str = "native"
    heartbeat_seconds: int = 3_600
    maker: str | None = None
    model: str | None = None
    battery_low_mv: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a sensor."""
        if not is_sensor_id(self.code):
            raise InvalidError(f"{self.code!r} is no sensor id", sensor_id=self.code)
        if not 1 <= self.heartbeat_seconds <= MAX_HEARTBEAT_SECONDS:
            raise InvalidError(f"a heartbeat is 1 to {MAX_HEARTBEAT_SECONDS} seconds")
        if self.battery_low_mv is not None and not 1 <= self.battery_low_mv <= MAX_BATTERY_MV:
            raise InvalidError(f"a battery's limit is 1 to {MAX_BATTERY_MV} mV")


def refuse_unknown_codec(entry: SensorEntry) -> None:
    """Make sure that a sensor can be read; a stored one may still name a codec that was given up.

    Raises:
        InvalidError: there is no such codec.
    """
    if entry.codec not in CODECS:
        raise InvalidError(f"there is no codec {entry.codec!r}; there are {', '.join(CODECS)}", codec=entry.codec)
