"""What time it is: the real clock, or one virtual clock shared by every process of a sped-up city. Pure but for that.

The virtual clock runs future checks, silence, running fees, billing and rollups. TLS, signatures, the freshness of
payments and timeouts always use real time.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from core.errors import InvalidError


class Clock(Protocol):
    """A source of the present instant."""

    @property
    def speed(self) -> float:
        """Virtual seconds in one real second; 1 on real time."""
        ...

    def now_ms(self) -> int:
        """The present instant, UTC, milliseconds since 1970."""
        ...

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class RealClock:
    """The machine's own clock."""

    @property
    def speed(self) -> float:
        """Always 1."""
        return 1.0

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)

    def __str__(self) -> str:
        """Empty, as a setting says it."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualClock:
    """At real ``real_start_ms`` it shows ``virtual_start_ms`` and runs ``speed`` times as fast from there.

    Written ``real_start_ms/virtual_start_ms/speed`` so that a setting can hand it to every process.
    """

    real_start_ms: int
    virtual_start_ms: int
    speed: float

    def __post_init__(self) -> None:
        """Refuse a clock that stands or runs backwards."""
        if not 0 < self.speed <= 10_000:  # noqa: PLR2004 - the bound is stated in the message
            raise InvalidError(f"a clock's speed is above 0 and at most 10000, not {self.speed}")

    def now_ms(self) -> int:
        """Milliseconds since 1970 on this clock."""
        return self.shows_at(time.time_ns() / 1_000_000)

    def shows_at(self, real_ms: float) -> int:
        """What it shows at an instant of real time; both in milliseconds since 1970."""
        return self.virtual_start_ms + int((real_ms - self.real_start_ms) * self.speed)

    def now(self) -> datetime:
        """The present instant on this clock, UTC."""
        return instant(self.now_ms())

    def __str__(self) -> str:
        return f"{self.real_start_ms}/{self.virtual_start_ms}/{self.speed:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RushingClock:
    """A virtual clock that runs at one speed until it arrives where another one starts, and as that one from there.

    So a city can live through some hours in a minute before its ordinary pace begins. Written ``first,then``.
    """

    rush: VirtualClock
    then: VirtualClock

    def __post_init__(self) -> None:
        """Refuse a clock that would jump."""
        arrives_ms = self.rush.shows_at(self.then.real_start_ms)
        if self.then.real_start_ms < self.rush.real_start_ms or abs(arrives_ms - self.then.virtual_start_ms) > _JUMP_MS:
            raise InvalidError(f"the second part of a clock starts where the first arrives, which is {arrives_ms}")

    @property
    def virtual_start_ms(self) -> int:
        """What it shows at its start."""
        return self.rush.virtual_start_ms

    @property
    def speed(self) -> float:
        """Of the part that runs now."""
        return self._part(time.time_ns() / 1_000_000).speed

    def now_ms(self) -> int:
        """Milliseconds since 1970 on this clock."""
        real_ms = time.time_ns() / 1_000_000
        return self._part(real_ms).shows_at(real_ms)

    def now(self) -> datetime:
        """The present instant on this clock, UTC."""
        return instant(self.now_ms())

    def __str__(self) -> str:
        return f"{self.rush},{self.then}"

    def _part(self, real_ms: float) -> VirtualClock:
        return self.rush if real_ms < self.then.real_start_ms else self.then


def parse_clock(text: str) -> Clock:
    """The clock a setting names: empty for real time, ``real_start_ms/virtual_start_ms/speed``, or two, ``rush,then``.

    Raises:
        InvalidError: the text is none of these.
    """
    if not text:
        return RealClock()
    parts = [_parse_part(part, text) for part in text.split(",")]
    match parts:
        case [one]:
            return one
        case [rush, then]:
            return RushingClock(rush=rush, then=then)
        case _:
            raise InvalidError(f"PARKING_CLOCK has one part or two, not {len(parts)}: {text!r}")


def began_ms(clock: Clock) -> int:
    """Where a clock began, in milliseconds since 1970 on itself; for real time: now."""
    return clock.virtual_start_ms if isinstance(clock, VirtualClock | RushingClock) else clock.now_ms()


FOR_EVER = datetime(2200, 1, 1, tzinfo=UTC)
"""Later than any stay ends."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_JUMP_MS = 1_000
"""So far apart the two parts of a clock may be: a part's figures are whole milliseconds of very different lengths."""


def _parse_part(part: str, text: str) -> VirtualClock:
    try:
        real_start, virtual_start, speed = part.split("/")
        return VirtualClock(real_start_ms=int(real_start), virtual_start_ms=int(virtual_start), speed=float(speed))
    except ValueError as error:
        raise InvalidError(f"PARKING_CLOCK is real_start_ms/virtual_start_ms/speed, not {text!r}") from error


def instant(ms: int) -> datetime:
    """The aware UTC instant of ``ms`` milliseconds since 1970, exact.

    Raises:
        OverflowError: the instant lies outside the years 1 to 9999.
    """
    return _EPOCH + ms * _MILLISECOND


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, fractions of one dropped."""
    return (at - _EPOCH) // _MILLISECOND


def rfc3339(at: datetime) -> str:
    """``2026-11-22T12:00:00.000Z``: UTC with milliseconds, as every answer and export shows an instant."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
