"""A truth file as something to compare with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InvalidError
from core.wire import parse_instant
from simulator.truth import Checkpoint, Header, StayLine, read_lines


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


def load_truth(path: Path) -> Truth:
    """Read a truth file up to its last checkpoint.

    Raises:
        InvalidError: it is none, or it has no checkpoint yet.
    """
    header: Header | None = None
    checkpoint: Checkpoint | None = None
    sensors: dict[str, str] = {}
    found: dict[tuple[str, str], StayLine] = {}
    touched: dict[tuple[str, int], set[str]] = {}
    try:
        for line in read_lines(path):
            header = line.truth or header
            checkpoint = line.checkpoint or checkpoint
            if line.space is not None:
                sensors[line.space.space] = line.space.sensor_id
            if line.stay is not None:
                found[line.stay.space, line.stay.entered_at] = line.stay
            fault = line.fault
            if fault is not None and fault.space is not None and fault.entered_at is not None:
                touched.setdefault((fault.space, parse_instant(fault.entered_at)), set()).add(fault.fault)
    except FileNotFoundError as error:
        raise InvalidError(f"there is no truth file {path}") from error
    if header is None or checkpoint is None:
        raise InvalidError(f"{path} has no checkpoint yet: nothing was acknowledged by the broker so far")
    until_ms = parse_instant(checkpoint.complete_until)
    stays: dict[str, list[Stay]] = {space: [] for space in sensors}
    for told in found.values():
        stay = stay_of(told)
        if stay.entered_ms <= until_ms:
            stays[stay.space].append(stay)
    for of_space in stays.values():
        of_space.sort(key=lambda stay: stay.entered_ms)
    since_ms = min((some[0].entered_ms for some in stays.values() if some), default=until_ms)
    return Truth(
        header=header,
        checkpoint=checkpoint,
        until_ms=until_ms,
        since_ms=min(since_ms, parse_instant(header.begins_at)) - BOOT_MS,
        sensors=sensors,
        stays=stays,
        touched=touched,
    )


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
