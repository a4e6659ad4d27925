"""The programs behind the services: which of those on this machine are fit, and why the others are not."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OLDEST_POSTGRES = (15,)
OLDEST_TIMESCALEDB = (2, 13)
"""The first whose ``create_hypertable`` takes ``by_range``."""
OLDEST_MOSQUITTO = (2, 0, 21)
"""Earlier ones send more than their window of unacknowledged messages once acknowledging begins."""

_POSTGRES_HOMES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)
_MOSQUITTO_HOMES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A PostgreSQL with TimescaleDB: the folder of its programs, and what they are."""

    folder: Path
    version: str
    timescaledb: str

    def program(self, name: str) -> Path:
        """The path of ``postgres``, ``initdb`` or ``psql`` of this version."""
        return self.folder / name

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} with TimescaleDB {self.timescaledb} in {self.folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosquitto:
    """A Mosquitto broker that keeps its window."""

    program: Path
    version: str

    def __str__(self) -> str:
        return f"Mosquitto {self.version} at {self.program}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A program that was found and cannot serve."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def inspect_postgres(folder: Path) -> Postgres | Unfit:
    """Look at the PostgreSQL whose programs lie in this folder, and at the extensions it finds."""
    version = _version_of(folder / "postgres", "--version")
    if version is None:
        return Unfit(path=folder, why="its postgres does not run")
    extensions = _extensions_of(folder, version)
    timescaledb = _default_version(extensions / "timescaledb.control")
    missing = [name for name in ("initdb", "psql") if not (folder / name).exists()]
    missing += [name for name in ("btree_gist", "timescaledb") if not (extensions / f"{name}.control").exists()]
    if _numbers(version) < OLDEST_POSTGRES:
        return Unfit(path=folder, why=f"PostgreSQL {version} is older than {_dotted(OLDEST_POSTGRES)}")
    if missing:
        return Unfit(path=folder, why=f"PostgreSQL {version} without {' and '.join(missing)}")
    if _numbers(timescaledb) < OLDEST_TIMESCALEDB:
        return Unfit(path=folder, why=f"TimescaleDB {timescaledb} is older than {_dotted(OLDEST_TIMESCALEDB)}")
    return Postgres(folder=folder, version=version, timescaledb=timescaledb)


def inspect_mosquitto(program: Path) -> Mosquitto | Unfit:
    """Look at one Mosquitto."""
    version = _version_of(program, "-h")
    if version is None:
        return Unfit(path=program, why="it does not run")
    if _numbers(version) < OLDEST_MOSQUITTO:
        return Unfit(path=program, why=f"Mosquitto {version} is older than {_dotted(OLDEST_MOSQUITTO)}")
    return Mosquitto(program=program, version=version)


def list_postgres(environ: Mapping[str, str] = os.environ) -> tuple[Postgres | Unfit, ...]:
    """Every PostgreSQL on this machine, those on the path first, then the newest."""
    programs = (folder / "postgres" for folder in _postgres_folders(environ.get("PATH", "")))
    return tuple(inspect_postgres(program.parent) for program in _unique(programs))


def list_mosquitto(environ: Mapping[str, str] = os.environ) -> tuple[Mosquitto | Unfit, ...]:
    """Every Mosquitto on this machine, those on the path first."""
    places = [*_on_path(environ.get("PATH", "")), *(Path(home) for home in _MOSQUITTO_HOMES)]
    return tuple(inspect_mosquitto(place) for place in _unique(folder / "mosquitto" for folder in places))


def _postgres_folders(path: str) -> Iterator[Path]:
    for folder in _on_path(path):
        yield (folder / "postgres").resolve().parent
    if asked := shutil.which("pg_config", path=path):
        yield Path(_answer(asked, "--bindir") or "/nowhere")
    for pattern in _POSTGRES_HOMES:
        yield from sorted(
            Path("/").glob(pattern.removeprefix("/")), key=lambda found: _numbers(str(found)), reverse=True
        )


def _on_path(path: str) -> list[Path]:
    return [Path(folder) for folder in path.split(os.pathsep) if folder]


def _unique(programs: Iterator[Path]) -> Iterator[Path]:
    """Each program that we may run, once; a path may lead through folders that are closed to us."""
    seen = set()
    for program in programs:
        if os.access(program, os.X_OK) and program.is_file() and program.resolve() not in seen:
            seen.add(program.resolve())
            yield program


def _extensions_of(folder: Path, version: str) -> Path:
    """Where this PostgreSQL keeps its extensions: as its own ``pg_config`` says, else beside it as usual."""
    if (shared := _answer(folder / "pg_config", "--sharedir")) and Path(shared).is_dir():
        return Path(shared) / "extension"
    major = version.partition(".")[0]
    usual = (
        folder.parents[2] / "share/postgresql" / major,
        folder.parent / "share/postgresql",
        folder.parent / "share",
    )
    return next((share for share in usual if (share / "extension").is_dir()), usual[-1]) / "extension"


def _default_version(control: Path) -> str:
    """Of an extension by its control file; empty when it has none."""
    text = control.read_text() if control.exists() else ""
    found = re.search(r"^\s*default_version\s*=\s*'([^']+)'", text, re.MULTILINE)
    return found[1] if found else ""


def _version_of(program: Path, option: str) -> str | None:
    """The first dotted number a program says of itself."""
    found = re.search(r"\d+(\.\d+)+", _answer(program, option) or "")
    return found and found[0]


def _answer(program: Path | str, option: str) -> str | None:
    try:
        done = subprocess.run([str(program), option], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)
