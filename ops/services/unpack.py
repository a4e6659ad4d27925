"""Debian's packages laid out in a folder of ours, and their programs bound to the loader and libraries there."""

import fcntl
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.services.debian import TRY_AGAIN, Archive, Progress, fetch
from ops.services.debian_source import RELEASE
from ops.state import InstallationError, write_whole

_PROGRAMS = ("usr/lib/postgresql/*/bin/*", "usr/sbin/mosquitto", "usr/bin/mosquitto_*")
_NEEDLESS = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/lib/postgresql/*/lib/bitcode",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A folder with whole, runnable programs."""

    tree: Path

    @property
    def postgres(self) -> Path:
        """The folder of PostgreSQL's programs."""
        return next(iter(sorted(self.tree.glob("usr/lib/postgresql/*/bin"))), self.tree / "no-postgres")

    @property
    def mosquitto(self) -> Path:
        """The broker."""
        return self.tree / "usr/sbin/mosquitto"


def find_unpacked(folder: Path, services: Collection[str]) -> Unpacked | None:
    """The unpacked programs, if they are whole, made for this place and contain these services."""
    tree = folder / RELEASE
    try:
        stamp = json.loads(_stamp(tree).read_text())
    except (OSError, json.JSONDecodeError):
        return None
    is_ready = stamp["tree"] == str(tree) and set(services) <= set(stamp["services"])
    return Unpacked(tree=tree) if is_ready else None


def unpack(folder: Path, services: Collection[str], progress: Progress) -> Unpacked:
    """Fetch and unpack Debian's packages of these services, unless that is done; two at once wait for each other.

    The new tree appears under its name only when it is complete, so a broken try leaves nothing that looks ready.

    Raises: InstallationError saying what stopped it and what to do.
    """
    with _storing(folder), holding(folder, progress):
        if ready := find_unpacked(folder, services):
            return ready
        archives = fetch(folder, services, progress)
        tree, growing = folder / RELEASE, folder / f"{RELEASE}.unfinished"
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir(mode=0o755)
        _extract(archives, folder / "archives", growing, progress)
        _bind(growing, tree, progress)
        versions = {archive.package: archive.version for archive in archives}
        stamp = {"tree": str(tree), "services": sorted(services), "packages": versions}
        write_whole(_stamp(growing), json.dumps(stamp, indent=1), mode=0o644)
        shutil.rmtree(tree, ignore_errors=True)
        growing.rename(tree)
        shutil.rmtree(folder / "archives")
        shutil.rmtree(folder / "apt")
        return Unpacked(tree=tree)


def prefetch(folder: Path, services: Collection[str], progress: Progress) -> None:
    """Only download, for a later ``unpack``."""
    with _storing(folder), holding(folder, progress):
        if not find_unpacked(folder, services):
            fetch(folder, services, progress)


@contextmanager
def holding(folder: Path, progress: Progress) -> Iterator[None]:
    """Be the only one to change this folder; say so while another one is at it.

    An apt-get that outlives us (kill -9) inherits the hold, so that the next start waits for it.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another start to finish fetching the programs")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _extract(archives: Iterable[Archive], source: Path, tree: Path, progress: Progress) -> None:
    progress("unpacking PostgreSQL, TimescaleDB and Mosquitto")
    for archive in archives:
        done = subprocess.run(
            ["dpkg-deb", "--extract", source / archive.file, tree], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            (source / archive.file).unlink(missing_ok=True)
            raise InstallationError(f"{archive.file} could not be unpacked: {done.stderr.strip()}", cure=TRY_AGAIN)
    for pattern in _NEEDLESS:
        for needless in tree.glob(pattern):
            shutil.rmtree(needless)


def _bind(tree: Path, final: Path, progress: Progress) -> None:
    """Make each program use the loader and libraries of the tree, at the place where it will stand.

    A run path of the old kind (``--force-rpath``) also serves the libraries' own needs, so they stay as they are.
    """
    progress("binding the programs to their own libraries")
    patchelf = find_patchelf()
    libraries = next(tree.glob("usr/lib/*-linux-gnu*"))
    for pattern in _PROGRAMS:
        for program in tree.glob(pattern):
            with program.open("rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
            asked = _patch(patchelf, "--print-interpreter", program).strip()
            loader = final / "usr" / asked.removeprefix("/")
            library_path = final / libraries.relative_to(tree)
            _patch(patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", library_path, program)


def _patch(*arguments: str | Path) -> str:
    done = subprocess.run([str(part) for part in arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallationError(f"patchelf failed on {arguments[-1]}: {done.stderr.strip()}", cure=TRY_AGAIN)
    return done.stdout


def find_patchelf() -> Path:
    """The ``patchelf`` of our environment, else the machine's. Raises: InstallationError."""
    ours = Path(sysconfig.get_path("scripts")) / "patchelf"
    found = ours if ours.exists() else shutil.which("patchelf")
    if found is None:
        raise InstallationError(
            "The program patchelf is missing, which fits Debian's programs to this machine.",
            cure="install the packages of requirements.lock (./parking does), or apt-get install patchelf",
        )
    return Path(found)


@contextmanager
def _storing(folder: Path) -> Iterator[None]:
    """Turn the system's refusals to write into ours, which say what to do."""
    try:
        yield
    except OSError as refusal:
        raise InstallationError(
            f"The programs cannot be kept in {folder}: {refusal.strerror or refusal}"
            + (f" ({refusal.filename})." if refusal.filename else "."),
            cure="make room or give the right to write there, or choose another folder: --state DIR",
        ) from refusal


def _stamp(tree: Path) -> Path:
    return tree / "parking-stamp.json"
