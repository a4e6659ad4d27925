"""A truth file that is still being written, read on from where it was left: what is settled, and not yet let go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.wire import parse_instant
from ops.verify.truth import BOOT_MS, Stay, Truth, stay_of
from simulator.fingerprint import Fingerprint
from simulator.truth import Checkpoint, Header, Line, StayLine

_decode = msgspec.json.Decoder(Line).decode


@dataclass(slots=True)
class TruthTail:
    """Takes in lines as they come; a line counts once a checkpoint follows it, as in the whole file."""

    path: Path
    header: Header | None = None
    checkpoint: Checkpoint | None = None
    sensors: dict[str, str] = field(default_factory=dict)
    _position: int = 0
    _unsettled: list[StayLine] = field(default_factory=list)
    _stays: dict[str, dict[str, Stay]] = field(default_factory=dict)
    """By space, then by the begin as it is written."""

    def advance(self) -> None:
        """Read what was added since; a file that is not there yet has nothing."""
        if not self.path.exists():
            return
        for line in self._new_lines():
            self.header = line.truth or self.header
            if line.space is not None:
                self.sensors[line.space.space] = line.space.sensor_id
                self._stays.setdefault(line.space.space, {})
            if line.stay is not None:
                self._unsettled.append(line.stay)
            if line.checkpoint is not None:
                self.checkpoint = line.checkpoint
                for told in self._unsettled:
                    self._stays[told.space][told.entered_at] = stay_of(told)
                self._unsettled.clear()

    def window(self, since: Checkpoint, left_since_ms: int) -> Truth | None:
        """What is settled and not let go, as a truth about the readings since an earlier checkpoint; None before any.

        Args:
            since: readings up to this one are left aside.
            left_since_ms: sessions that ended up to then are of no interest.
        """
        if self.header is None or self.checkpoint is None:
            return None
        until_ms = parse_instant(self.checkpoint.complete_until)
        return Truth(
            header=self.header,
            checkpoint=msgspec.structs.replace(
                self.checkpoint,
                readings=self.checkpoint.readings - since.readings,
                fingerprint=Fingerprint.between(since.fingerprint, self.checkpoint.fingerprint),
            ),
            until_ms=until_ms,
            since_ms=left_since_ms,
            sensors=self.sensors,
            stays={
                space: sorted((s for s in stays.values() if s.entered_ms <= until_ms), key=lambda s: s.entered_ms)
                for space, stays in self._stays.items()
            },
        )

    def let_go(self, until_ms: int) -> None:
        """Forget the stays that ended up to then."""
        for stays in self._stays.values():
            over = [begin for begin, stay in stays.items() if stay.left_ms is not None and stay.left_ms <= until_ms]
            for begin in over:
                del stays[begin]

    def begins_ms(self) -> int:
        """The earliest instant of which the file may tell."""
        return 0 if self.header is None else parse_instant(self.header.begins_at) - BOOT_MS

    def _new_lines(self) -> Iterable[Line]:
        return list(self._read())

    def _read(self) -> Iterator[Line]:
        with self.path.open("rb") as file:
            file.seek(self._position)
            for text in file:
                if not text.endswith(b"\n"):
                    return
                self._position += len(text)
                yield _decode(text)
