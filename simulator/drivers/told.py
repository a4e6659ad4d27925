"""What drivers really paid, in a file of their own: JSON lines, whole or torn, as the truth of the sensors is.

A payment is told when its button is pressed (``pressed``) and again when the provider's page says that it is done
(``paid``), which replaces the first. One that stays ``pressed`` was cut off: whether money moved, the provider knows.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import msgspec

from core.errors import ConflictError, InvalidError

FORMAT: Final = 1


class DriversHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Whose drivers these are."""

    format: int = FORMAT
    installation: str = ""
    seed: int
    scenario: str = ""


class PaymentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One press of a button at the provider's page."""

    payment_id: str
    """As the api answered it."""
    purpose: Literal["session", "pass"] = "session"
    session_id: str | None = None
    space: str | None = None
    channel: str
    amount_fen: int
    by: Literal["phone", "kiosk"] = "phone"
    habit: str
    at: str
    """On the run's clock."""
    state: Literal["pressed", "paid"]


class PatrolLine(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle that a warden came by."""

    session_id: str
    space: str
    plate: str
    """Masked: the truth tells of parking, not of people."""
    photographed: bool
    """Or missed."""
    at: str


class DriversLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: exactly one of these."""

    drivers: DriversHeader | None = None
    payment: PaymentLine | None = None
    patrol: PatrolLine | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DriversLine).decode


class Told:
    """The file being written; None as its path keeps everything to oneself."""

    def __init__(self, path: Path | None, header: DriversHeader) -> None:
        """Begin the file, or go on with one of the same drivers after its last whole line.

        Raises:
            InvalidError: it is of other drivers, or none.
            ConflictError: somebody else is writing it.
        """
        self._file: Any = None
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        try:
            self._take_over(path, header)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()

    def payment(self, line: PaymentLine) -> None:
        """Tell of a payment."""
        self._write(DriversLine(payment=line))

    def patrol(self, line: PatrolLine) -> None:
        """Tell of a vehicle that a warden came by."""
        self._write(DriversLine(patrol=line))

    def _write(self, line: DriversLine) -> None:
        if self._file is not None:
            self._file.write(_encode(line) + b"\n")
            self._file.flush()

    def _take_over(self, path: Path, header: DriversHeader) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(f"other drivers are writing {path}") from error
        lines = self._file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._file.seek(len(whole))
        self._file.truncate()
        if not whole:
            self._write(DriversLine(drivers=header))
        elif (found := _line(whole.split(b"\n", 1)[0], path, 1).drivers) != header:
            raise InvalidError(f"{path} tells of other drivers ({found}, now {header}): name another file")


def read_told(path: Path) -> Iterator[DriversLine]:
    """The lines of a drivers' file, oldest first; a torn last one is left out.

    Raises:
        InvalidError: it is no such file; names the line.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            line = _line(text, path, number)
            if number == 1 and (line.drivers is None or line.drivers.format != FORMAT):
                raise InvalidError(f"{path} does not begin as a file of drivers of format {FORMAT}")
            yield line


def whose_drivers(path: Path) -> str:
    """The name of the installation whose drivers these are; empty where nobody said.

    Raises:
        InvalidError: see ``read_told``, or there is no such file.
    """
    try:
        first = next(read_told(path), None)
    except FileNotFoundError as error:
        raise InvalidError(f"there is no file of drivers {path}") from error
    return first.drivers.installation if first is not None and first.drivers is not None else ""


def read_payments(path: Path) -> dict[str, PaymentLine]:
    """The last word of every payment, by its id.

    Raises:
        InvalidError: see ``read_told``.
    """
    return {line.payment.payment_id: line.payment for line in read_told(path) if line.payment is not None}


def _line(text: bytes, path: Path, number: int) -> DriversLine:
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        raise InvalidError(f"{path}, line {number} is no line of drivers: {error}") from error
