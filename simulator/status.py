"""How a run is going: one JSON object, for whoever started it."""

import os
from pathlib import Path

import msgspec


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Once a second; counts are since the truth file was begun, ``rate_per_s`` is of the last second of real time."""

    phase: str
    """``connecting`` (also later), ``history`` (sending what was before), ``live``, ``stopping`` or ``done``."""
    connected: bool
    at: str
    """The present instant on the run's clock."""
    complete_until: str | None
    """The truth is settled up to here."""
    behind_seconds: float
    """How long ago (on the run's clock) the next message was due; 0 when all due ones are sent."""
    sensors: int
    occupied: int
    stays_begun: int
    stays_ended: int
    fees_fen: int
    """Sum of the fees of ended stays, where the tariff's words are known here."""
    published: int
    acknowledged: int
    in_flight: int
    delayed: int
    """Copies that wait for their time: late ones and repeats."""
    repeated: int
    late: int
    lost: int
    denied: int
    """Messages the broker threw away because we may not publish there; told by MQTT 5 only."""
    rate_per_s: float


_encode = msgspec.json.Encoder().encode


def write_status(path: Path, status: Status) -> None:
    """Replace the file as a whole: a reader sees this status or the one before."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(_encode(status) + b"\n")
    unfinished.replace(path)


def status_text(status: Status) -> str:
    """The same as one line of JSON."""
    return _encode(status).decode()
