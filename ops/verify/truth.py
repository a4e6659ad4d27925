"""A truth file as something to compare with."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import InvalidError
from core.wire import parse_instant
from simulator.evidence import EvidentStay, Heard, Rules, evident_stays
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.sent import SentReading, unpack
from simulator.slow_pricer import slow_fee
from simulator.truth import Checkpoint, Header, Line, SpaceLine, StayLine, read_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What really happened in a space; instants in milliseconds since 1970."""

    space: str
    entered_ms: int
    left_ms: int | None
    """None while the vehicle stands there."""
    fee_fen: int | None
    """None while it stands there, or when the tariff's words are not known to the simulator."""


Touched = Mapping[tuple[str, int], Collection[str]]
"""Names of faults by space and begin of the stay that they touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All stays that began up to ``until_ms``, by space and oldest first."""

    header: Header
    checkpoint: Checkpoint
    until_ms: int
    """Everything up to here happened, was sent and acknowledged; later is not compared."""
    since_ms: int
    """The earliest instant the truth speaks of."""
    sensors: Mapping[str, str]
    """Sensor by space code."""
    stays: Mapping[str, Sequence[Stay]]
    touched: Touched = field(default_factory=dict)
    """What went wrong with what was said of a stay."""
    spaces: Mapping[str, SpaceLine] = field(default_factory=dict)
    evidence: Mapping[str, Sequence[EvidentStay]] | None = None
    """The stays that the readings prove, by space and oldest first; None where the readings are not told."""

    def rules(self, space: str) -> Rules:
        """By which a space's readings are read."""
        return rules_of(self.spaces[space])

    def price(self, space: str) -> Callable[[int, int], int | None]:
        """What stays in a space cost by the notice's words, as ``simulator.slow_pricer`` reads them."""
        tariff = self.spaces[space].tariff if space in self.spaces else None
        zone = ZoneInfo(self.header.zone)
        return lambda begin_ms, end_ms: slow_fee(tariff, begin_ms, end_ms, zone, self.header.prices)


def load_truth(path: Path) -> Truth:
    """Read a truth file up to its last checkpoint.

    Raises:
        InvalidError: it is none, it is damaged (names the line), or it has no checkpoint yet.
    """
    reader = _Reader()
    try:
        for line in read_lines(path):
            reader.take(line)
    except FileNotFoundError as error:
        raise InvalidError(f"there is no truth file {path}") from error
    except (ValueError, LookupError) as error:
        raise InvalidError(
            f"{path}, line {reader.lines} is damaged: {error}; the truth before it cannot be trusted"
        ) from error
    return reader.truth(path)


@dataclass(slots=True)
class _Reader:
    """Takes in line by line; what no checkpoint follows does not count."""

    lines: int = 0
    header: Header | None = None
    checkpoint: Checkpoint | None = None
    spaces: dict[str, SpaceLine] = field(default_factory=dict)
    told: dict[str, dict[int, Stay]] = field(default_factory=dict)
    """By space, then by the begin."""
    touched: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    heard: list[list[Heard]] = field(default_factory=list)
    """By the space's number."""
    unsettled: list[SentReading] = field(default_factory=list)
    fingerprint: Fingerprint = field(default_factory=Fingerprint)

    def take(self, line: Line) -> None:
        """One line.

        Raises:
            ValueError, LookupError: it cannot be.
        """
        self.lines += 1
        self.header = line.truth or self.header
        if line.space is not None:
            self.spaces[line.space.space] = line.space
            self.told[line.space.space] = {}
            self.heard.append([])
        if line.stay is not None:
            stay = stay_of(line.stay)
            self.told[stay.space][stay.entered_ms] = stay
        fault = line.fault
        if fault is not None and fault.space is not None and fault.entered_at is not None:
            self.touched.setdefault((fault.space, parse_instant(fault.entered_at)), set()).add(fault.fault)
        if line.readings is not None:
            self.unsettled.extend(unpack(line.readings))
        if line.checkpoint is not None:
            self.checkpoint = line.checkpoint
            self._settle()

    def _settle(self) -> None:
        sensors = [one.sensor_id for one in self.spaces.values()]
        for at_ms, number, boot, seq, kind, occupied in self.unsettled:
            sensor = sensors[number]
            self.heard[number].append(Heard(at_ms, boot, seq, sensor, occupied, kind.value))
            self.fingerprint.add(reading_hash(sensor, at_ms, boot, seq, occupied=occupied, kind=kind.value))
        self.unsettled.clear()

    def truth(self, path: Path) -> Truth:
        """All of it.

        Raises:
            InvalidError: nothing is settled, or the readings are not those of the last checkpoint.
        """
        header, checkpoint = self.header, self.checkpoint
        if header is None or checkpoint is None:
            raise InvalidError(f"{path} has no checkpoint yet: nothing was acknowledged by the broker so far")
        if header.readings_told and str(self.fingerprint) != (checkpoint.fingerprint or str(Fingerprint())):
            raise InvalidError(f"{path} is damaged: the readings in it are not those that its last checkpoint counts")
        until_ms = parse_instant(checkpoint.complete_until)
        stays = {
            space: sorted((s for s in told.values() if s.entered_ms <= until_ms), key=lambda stay: stay.entered_ms)
            for space, told in self.told.items()
        }
        since_ms = min((some[0].entered_ms for some in stays.values() if some), default=until_ms)
        return Truth(
            header=header,
            checkpoint=checkpoint,
            until_ms=until_ms,
            since_ms=min(since_ms, parse_instant(header.begins_at)) - BOOT_MS,
            sensors={space: line.sensor_id for space, line in self.spaces.items()},
            stays=stays,
            touched=self.touched,
            spaces=self.spaces,
            evidence=self._evidence() if header.readings_told else None,
        )

    def _evidence(self) -> dict[str, list[EvidentStay]]:
        return {
            space: evident_stays(heard, rules_of(line))
            for (space, line), heard in zip(self.spaces.items(), self.heard, strict=True)
        }


def rules_of(line: SpaceLine) -> Rules:
    """By which the readings of a space are read."""
    return Rules(
        min_stay_ms=1_000 * line.min_stay_seconds,
        min_gap_ms=1_000 * line.min_gap_seconds,
        limit_ms=_SILENT_AFTER_HEARTBEATS * 1_000 * line.heartbeat_seconds,
    )


_SILENT_AFTER_HEARTBEATS: Final = 3
"""A sensor that is not heard for longer may have missed anything."""
BOOT_MS = 60_000
"""A sensor boots up to this long before the first stay it sees."""


def stay_of(line: StayLine) -> Stay:
    """A line as something to compare with."""
    return Stay(
        space=line.space,
        entered_ms=parse_instant(line.entered_at),
        left_ms=None if line.left_at is None else parse_instant(line.left_at),
        fee_fen=line.fee_fen,
    )
