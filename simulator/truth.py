"""The truth: what really happened, in a file that survives the simulator's own violent death.

JSON lines, because a line is whole or torn and nothing else: after ``kill -9`` everything up to the last checkpoint is
right, by construction, without a database's help; and anybody can read it with any tool. In this order:

* ``{"truth": {...}}``: which city, seed, begin, zone and faults;
* ``{"space": {...}}``: one for each simulated sensor;
* ``{"stay": {...}}``: at its begin with ``left_at`` null, and once more at its end, which replaces the first;
* ``{"fault": {...}}``: one for each message that a fault touched, with the stay it belongs to;
* ``{"readings": {...}}``: what sensors said, each once: those that the checkpoint behind it settles;
* ``{"checkpoint": {...}}``: until when the lines above are complete *and* every reading was acknowledged by the broker.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from core.errors import ConflictError, InvalidError
from simulator.sent import ReadingsLine

FORMAT = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what happens, and the names by which another installation's truth is known."""

    format: int = FORMAT
    installation: str = ""
    """Of the installation the readings went to; empty when nobody said."""
    city: str
    city_digest: str
    spaces: int
    seed: int
    begins_at: str
    zone: str
    clock: str
    """``PARKING_CLOCK`` of the first run; empty for real time."""
    repeat: float
    late: float
    late_up_to_ms: int
    lost: float
    walked_tariffs: list[str]
    """Tariffs whose fees were computed here; stays at others carry none."""
    faults: dict[str, Any] = {}
    """What goes wrong beside the air, as ``Faults.told``."""
    scenario: str = ""
    """Name and digest of the scenario that is played."""
    prices: dict[str, tuple[int, str]] = {}
    """For each tariff whose price changes: from when on, in milliseconds since 1970, and the pricer from then on."""
    readings_told: bool = False
    """Whether every reading is in the file; files of older simulators have only their number and fingerprint."""


class SpaceLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A simulated sensor and the space it watches."""

    space: str
    sensor_id: str
    lot: str
    tariff: str | None
    min_stay_seconds: int = 20
    min_gap_seconds: int = 20
    heartbeat_seconds: int = 3_600


class StayLine(msgspec.Struct, frozen=True):
    """One vehicle's visit; instants are RFC 3339, UTC, with milliseconds."""

    space: str
    sensor_id: str
    lot: str
    entered_at: str
    left_at: str | None = None
    fee_fen: int | None = None


class FaultLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that a fault touched, or kept a sensor from sending."""

    fault: str
    """One of ``simulator.faults.Fault``."""
    at: str
    """When the message was due, on the run's clock."""
    space: str | None = None
    """None for what befell nobody in particular."""
    sensor_id: str | None = None
    lot: str | None = None
    entered_at: str | None = None
    """When the stay began that the message belongs to; None between stays."""
    what: str | None = None
    """What a stranger tried."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far the truth is settled, and what was sent until then."""

    complete_until: str
    """Every event up to this instant is in the lines above, and its reading was acknowledged (or lost on purpose)."""
    readings: int = 0
    """Distinct readings with ``at`` up to ``complete_until``, those lost on purpose left out."""
    fingerprint: str = ""
    """``simulator.fingerprint`` of those readings."""
    published: int = 0
    """Messages given to the broker, repeats included."""
    acknowledged: int = 0
    repeated: int = 0
    late: int = 0
    lost: int = 0
    fees_fen: int = 0
    """Sum of the fees of the stays that have ended."""
    final: bool = False


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: exactly one of these."""

    truth: Header | None = None
    space: SpaceLine | None = None
    stay: StayLine | None = None
    fault: FaultLine | None = None
    readings: ReadingsLine | None = None
    checkpoint: Checkpoint | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


class TruthFile:
    """The file being written; one simulator at a time."""

    def __init__(self, path: Path, header: Header, spaces: Iterable[SpaceLine]) -> None:
        """Begin the file, or go on with one of the same city, seed and faults at its last checkpoint.

        Raises:
            InvalidError: the file tells of another city or another seed, or is no truth file.
            ConflictError: another simulator is writing it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _open_locked(path)
        try:
            self.header, self.checkpoint, end = self._find_end(path, header)
            self._file.seek(end)
            self._file.truncate()
            if end == 0:
                self.write(Line(truth=header))
                for space in spaces:
                    self.write(Line(space=space))
                self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, line: Line) -> None:
        """Add a line; it counts from the next checkpoint on."""
        self._file.write(_encode(line) + b"\n")

    def settle(self, checkpoint: Checkpoint) -> None:
        """Everything written so far is now the truth, whatever happens to this process."""
        self.write(Line(checkpoint=checkpoint))
        self._file.flush()
        self.checkpoint = checkpoint

    def close(self) -> None:
        """On the disk, and free for the next one."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _find_end(self, path: Path, header: Header) -> tuple[Header, Checkpoint | None, int]:
        """The header in force, the last checkpoint, and the byte after it: 0 for a file without both."""
        found: Header | None = None
        checkpoint: Checkpoint | None = None
        end = 0
        for line, end_of_line in _lines(self._file, path):
            if line.truth is not None:
                found = line.truth
            if line.checkpoint is not None:
                checkpoint, end = line.checkpoint, end_of_line
        if found is not None:
            _must_be_the_same(found, header, path)
        if found is None or checkpoint is None:
            return header, None, 0
        return found, checkpoint, end


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a truth file, oldest first; a torn last one is left out.

    Raises:
        InvalidError: it is no truth file, with the line that is none.
    """
    with path.open("rb") as file:
        for line, _ in _lines(file, path):
            yield line


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[Line, int]]:
    """Each whole line with the position after it."""
    position = 0
    for number, text in enumerate(file, start=1):
        position += len(text)
        if not text.endswith(b"\n"):
            return
        try:
            line = _decode(text)
        except msgspec.DecodeError as error:
            raise InvalidError(f"{path}, line {number} is no line of a truth file: {error}") from error
        if number == 1 and (line.truth is None or line.truth.format != FORMAT):
            raise InvalidError(f"{path} does not begin as a truth file of format {FORMAT}")
        yield line, position


def _must_be_the_same(found: Header, wanted: Header, path: Path) -> None:
    for field, what in (
        ("installation", "installation"),
        ("city_digest", "city"),
        ("seed", "seed"),
        ("zone", "zone"),
        ("repeat", "share of repeated messages"),
        ("late", "share of late messages"),
        ("late_up_to_ms", "longest delay"),
        ("lost", "share of lost messages"),
        ("faults", "set of faults"),
        ("scenario", "scenario"),
    ):
        old, new = getattr(found, field), getattr(wanted, field)
        if old != new:
            raise InvalidError(
                f"{path} tells of another {what} ({old}, now {new}): go on with that, or name another file", what=what
            )


def _open_locked(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    file = os.fdopen(descriptor, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ConflictError(f"another simulator is writing {path}") from error
    return file
