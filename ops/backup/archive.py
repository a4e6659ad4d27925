"""The file of a backup: a zip with one member of rows for each table, and a manifest that is written last.

A file without a manifest is no backup, so one that was cut short is never taken for a whole one. Rows are in
PostgreSQL's own text format for ``COPY``: every version reads it, and so do people.
"""

import hashlib
import hmac
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Self

from core.errors import InvalidError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
PIECE: Final = 1 << 20
_FINGERPRINT: Final = b"parking-backup"


class BackupRefusedError(InvalidError):
    """The file is no backup, not whole, or not for this version; or the target is not to be overwritten."""

    slug = "backup-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What is in one member."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str
    sequences: Mapping[str, int]
    """By column: the next number it will give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Fingerprints of the installation's keys, which are not in the backup; empty where a key was not known."""

    secret: str = ""
    plate: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Of the keys among these settings."""
        return cls(
            secret=_fingerprint(environ.get("PARKING_SECRET_KEY", "")),
            plate=_fingerprints(environ.get("PARKING_PLATE_KEY", "")),
        )

    def differing(self, other: "Keys") -> list[str]:
        """The settings that are known on both sides and whose keys there do not open what was sealed here."""
        pairs = {
            "PARKING_SECRET_KEY": (self.secret, other.secret),
            "PARKING_PLATE_KEY": (self.plate, other.plate),
        }
        return [name for name, (here, there) in pairs.items() if there and not {*here.split()} <= {*there.split()}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    made_at: datetime
    revision: str
    """Of the schema its rows fit."""
    server: str
    tables: tuple[TableFacts, ...]
    """In an order in which every row's references come before it."""
    journal: Mapping[str, int]
    """Entries and debits in all, to be found again after a restore."""
    keys: Keys

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)

    def to_text(self) -> str:
        """As it is written."""
        return json.dumps({**asdict(self), "made_at": self.made_at.isoformat()}, indent=1)

    @classmethod
    def read(cls, text: str) -> Self:
        """What was written.

        Raises:
            BackupRefusedError: another format, or none.
        """
        try:
            stored = json.loads(text)
            if stored["format"] != FORMAT:
                raise BackupRefusedError(f"this backup has format {stored['format']}; this version reads {FORMAT}")
            return cls(
                format=FORMAT,
                made_at=datetime.fromisoformat(stored["made_at"]),
                revision=stored["revision"],
                server=stored["server"],
                tables=tuple(TableFacts(**{**one, "columns": tuple(one["columns"])}) for one in stored["tables"]),
                journal=stored["journal"],
                keys=Keys(**stored["keys"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BackupRefusedError("the manifest of this backup cannot be read") from error


class Writing:
    """A backup that is being written."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        """Into this zip."""
        self._file = file

    @contextmanager
    def table(self, name: str) -> Iterator[tuple[Callable[[bytes], None], Callable[[], str]]]:
        """A member: what takes its bytes, and what says their digest afterwards."""
        digest = hashlib.sha256()
        with self._file.open(f"{name}.copy", "w", force_zip64=True) as member:

            def write(piece: bytes) -> None:
                digest.update(piece)
                member.write(piece)

            yield write, digest.hexdigest

    def finish(self, manifest: Manifest) -> None:
        """Now it is whole."""
        self._file.writestr(MANIFEST, manifest.to_text())


class Archive:
    """A backup that is read."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest) -> None:
        """From this zip."""
        self._file = file
        self.manifest = manifest

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open a backup.

        Raises:
            BackupRefusedError: it is none, or not whole.
        """
        try:
            with zipfile.ZipFile(path) as file:
                if MANIFEST not in file.namelist():
                    raise BackupRefusedError(f"{path} has no manifest: it is no backup, or was cut short")
                yield cls(file, Manifest.read(file.read(MANIFEST).decode()))
        except (OSError, zipfile.BadZipFile) as error:
            raise BackupRefusedError(f"{path} cannot be read as a backup: {error}") from error

    @classmethod
    @contextmanager
    def writing(cls, path: Path) -> Iterator[Writing]:
        """Write one: beside its place until it is whole, readable by its owner only.

        Raises:
            BackupRefusedError: something is there already, or its folder is not.
        """
        if path.exists():
            raise BackupRefusedError(f"{path} is there already; a backup never overwrites another")
        growing = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise BackupRefusedError(f"{growing} cannot be written: {error.strerror}") from error
        try:
            with os.fdopen(descriptor, "wb") as raw:
                with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
                    yield Writing(file)
                raw.flush()
                os.fsync(raw.fileno())
            growing.rename(path)
        finally:
            growing.unlink(missing_ok=True)

    def pieces(self, table: TableFacts) -> Iterator[bytes]:
        """The rows of a table, piece by piece; the digest is checked at the end.

        Raises:
            BackupRefusedError: they are not what was written.
        """
        digest = hashlib.sha256()
        with self._open(table) as member:
            while piece := member.read(PIECE):
                digest.update(piece)
                yield piece
        if digest.hexdigest() != table.sha256:
            raise BackupRefusedError(f"the rows of {table.name} are not those that were written")

    def _open(self, table: TableFacts) -> IO[bytes]:
        try:
            return self._file.open(f"{table.name}.copy")
        except KeyError as error:
            raise BackupRefusedError(f"the rows of {table.name} are missing") from error


def _fingerprints(ring: str) -> str:
    """Of each key of the ring for plates, whatever its number."""
    return " ".join(_fingerprint(word.rpartition(":")[2]) for word in ring.replace(",", " ").split())


def _fingerprint(key: str) -> str:
    return hmac.digest(key.encode(), _FINGERPRINT, "sha256")[:8].hex() if key else ""
