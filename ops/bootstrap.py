"""From a fresh clone to the command line: the virtual environment, made from the hashed lock file when it is missing.

No package from outside. While pip works, the programs of the embedded services are fetched beside it.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ops.state import InstallationError, write_whole

PROJECT = Path(__file__).resolve().parents[1]
RUNTIME_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "requirements-dev.lock"
"""Contains the runtime one."""

_RARELY_RUN = r"/(tests?|lexers|f2py|pip|setuptools|distutils)/"
"""Modules that our processes do not load: half of them all, and half of the time that compiling takes."""

_SERVING = {"demo", "up", "test"}
"""Commands that will want the embedded services."""

_ROOM_BYTES = 500_000_000
"""What the development packages take while they are being installed."""

_VENV_CURE = "apt-get install python3-venv (or your system's package of Python's venv module)"
_CURES = (
    ("No space left", "make room, or put it on another disk: PARKING_VENV=DIR"),
    ("Read-only file system", "put it where you may write: PARKING_VENV=DIR"),
    ("Permission denied", "put it where you may write: PARKING_VENV=DIR"),
    (
        "DO NOT MATCH THE HASHES",
        "the index served something else than was locked; try again, or ask who runs the index",
    ),
    ("ensurepip is not available", _VENV_CURE),
    ("No module named ensurepip", _VENV_CURE),
    ("No module named venv", _VENV_CURE),
    ("-m', 'ensurepip'", "make room or put it on another disk (PARKING_VENV=DIR), then run the same command again"),
    ("No module named pip", "it was made without pip: move it away, or choose another folder: PARKING_VENV=DIR"),
    (
        "Could not find a version",
        "check that pip reaches a package index (pip config list); this Python may be too new",
    ),
)
_NETWORK_CURE = "check that pip reaches a package index (pip config list shows which), then run the same command again"


def main(arguments: Sequence[str]) -> NoReturn:
    """Make what is missing, then become the command line."""
    try:
        venv = Environment(folder=_venv_folder(), lock=_lock_for(arguments))
        if not venv.is_ready():
            with fetching_beside(arguments):
                venv.make()
    except InstallationError as stop:
        sys.exit(f"parking: {stop.message}")
    except KeyboardInterrupt:
        sys.exit(130)
    # -P: a folder named like one of our packages, in the folder we are called from, must not be taken for it
    os.execv(venv.python, [str(venv.python), "-P", "-m", "ops.cli", *arguments])  # noqa: S606 - no shell is wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The virtual environment and the lock file it is to hold."""

    folder: Path
    lock: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def is_ready(self) -> bool:
        """Whether it holds what the lock file, or one that contains it, says now, and finds our packages."""
        try:
            stamp = json.loads(self._stamp.read_text())
        except (OSError, json.JSONDecodeError):
            return False
        enough = {self.lock, DEVELOPMENT_LOCK}
        is_current = stamp.get("lock") in enough and stamp.get("sha256") == _digest(stamp["lock"])
        return is_current and stamp.get("project") == str(PROJECT) and os.access(self.python, os.X_OK)

    def make(self) -> None:
        """Create and fill it; one that was begun and not finished is made anew. Two at once: one waits.

        Raises: InstallationError with the cure.
        """
        started = time.monotonic()
        with _refusals_about(self.folder), _alone(self.folder.parent):
            if self.is_ready():
                return
            self._check_ours()
            self._check_room()
            self._stamp.unlink(missing_ok=True)
            wanted = _count(self.lock)
            _say(f"making the virtual environment {self.folder} ({wanted} packages of {self.lock})")
            if self._unfinished.exists() or not os.access(self.python, os.X_OK):
                self._unfinished.mkdir(exist_ok=True)
                _run([sys.executable, "-m", "venv", "--clear", str(self.folder)], "venv")
            self._unfinished.mkdir(exist_ok=True)
            self._install(wanted, started)
            self._point_at_project()
            _say("compiling", started)
            compiling = [str(self.python), "-m", "compileall", "-q", "-j", "0", "-x", _RARELY_RUN, str(self._packages)]
            subprocess.run(compiling, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            stamp = {"lock": self.lock, "sha256": _digest(self.lock), "project": str(PROJECT)}
            write_whole(self._stamp, json.dumps(stamp), mode=0o644)
            self._unfinished.rmdir()
        _say("the virtual environment is ready", started, last=True)

    @property
    def _stamp(self) -> Path:
        return self.folder / "parking-stamp.json"

    @property
    def _unfinished(self) -> Path:
        """Is there from before the first file until all is done; beside the environment, which venv may clear."""
        return self.folder.with_name(f"{self.folder.name}.unfinished")

    @property
    def _packages(self) -> Path:
        return next(self.folder.glob("lib/python3.*/site-packages"))

    def _check_ours(self) -> None:
        """Never clear a folder that somebody filled with other things."""
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / "pyvenv.cfg").exists():
            if self._unfinished.exists():
                return
            raise InstallationError(
                f"{self.folder} is there and is no virtual environment.",
                cure="move it away, or choose another folder: PARKING_VENV=DIR",
            )

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.folder.parent).free
        if free < _ROOM_BYTES:
            raise InstallationError(
                f"The disk of {self.folder} has {free // 1_000_000} MB left; {_ROOM_BYTES // 1_000_000} are needed.",
                cure="make room, or put it on another disk: PARKING_VENV=DIR",
            )

    def _install(self, wanted: int, started: float) -> None:
        """Let pip do it, with the user's own configuration of index and certificates."""
        pip = [str(self.python), "-m", "pip", "install", "--require-hashes", "--no-compile", "--no-input"]
        pip += ["--disable-pip-version-check", "--progress-bar", "off", "--requirement", str(PROJECT / self.lock)]
        collected = 0
        for line in _output_of(pip, "pip"):
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                collected += 1
                _say(f"fetching packages: {collected} of {wanted}", started)
            elif line.startswith("Installing collected packages"):
                _say(f"installing {line.count(',') + 1} packages", started)

    def _point_at_project(self) -> None:
        write_whole(self._packages / "parking.pth", f"{PROJECT}\n", mode=0o644)


def _venv_folder() -> Path:
    return Path(os.environ.get("PARKING_VENV") or PROJECT / ".venv").expanduser().absolute()


def _lock_for(arguments: Sequence[str]) -> str:
    """Checks need the development packages too; ``test`` may follow options."""
    first = next((word for word in arguments if not word.startswith("-")), "")
    return DEVELOPMENT_LOCK if first == "test" else RUNTIME_LOCK


@contextmanager
def fetching_beside(arguments: Sequence[str]) -> Iterator[None]:
    """Fetch the embedded services' programs meanwhile, if the command will want them; a failure is met again there."""
    command = [sys.executable, "-m", "ops.services.prefetch", *arguments]
    if not _SERVING.intersection(arguments):
        yield
        return
    child = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    except BaseException:
        child.terminate()
        raise


def _output_of(command: Sequence[str], name: str) -> Iterator[str]:
    """The lines of a program as they come. Raises: InstallationError with its last words and the cure they call for."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        close_fds=False,
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            yield line
    if process.returncode != 0:
        words = "".join(lines)
        cure = next((cure for sign, cure in _CURES if sign in words), _NETWORK_CURE)
        raise InstallationError(f"{name} failed:\n{_last_words(lines)}", cure=cure)


def _run(command: Sequence[str], name: str) -> None:
    for _ in _output_of(command, name):
        pass


def _last_words(lines: Sequence[str]) -> str:
    told = [
        line.rstrip() for line in lines if line.strip() and not line.startswith(("Collecting", "  Using", "WARNING"))
    ]
    return "\n".join(f"  {line}" for line in told[-8:])


def _digest(lock: str) -> str:
    return hashlib.sha256((PROJECT / lock).read_bytes()).hexdigest()


def _count(lock: str) -> int:
    """Packages that a lock file names."""
    return len(re.findall(r"^[A-Za-z0-9]", (PROJECT / lock).read_text(), re.MULTILINE))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder that contains the environment, so that no lock file is left anywhere.

    The programs we start inherit the hold: a pip that outlives us (kill -9) is waited for, not raced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another start to finish the virtual environment")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _refusals_about(folder: Path) -> Iterator[None]:
    """Turn the system's refusals to write into ours, which say what to do."""
    try:
        yield
    except OSError as refusal:
        words = refusal.strerror or str(refusal)
        cure = next((cure for sign, cure in _CURES if sign in words), "put it elsewhere: PARKING_VENV=DIR")
        raise InstallationError(f"The virtual environment {folder} cannot be made: {words}.", cure=cure) from refusal


def _say(words: str, started: float | None = None, *, last: bool = False) -> None:
    """One line of progress on stderr: rewritten in a terminal, and in a log only where it is worth a line."""
    elapsed = "" if started is None else f", {time.monotonic() - started:.0f} s"
    line = f"parking: {words}{elapsed}"
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{line[:width]:<{width}}" + ("\n" if last or started is None else ""))
    elif started is None or last or not words.startswith("fetching"):
        sys.stderr.write(line + "\n")
    sys.stderr.flush()
