"""The state folder: everything one installation keeps on this machine, and nothing outside it.

No package from outside: ``./parking`` reads it before any package is installed.
"""

import fcntl
import json
import os
import random
import secrets
import socket
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import UnavailableError
from core.files import write_whole_bytes

ROOT_STATE = Path("/var/lib/smart-parking")
"""The state folder of root; services that may not run as root must be able to reach it."""

PORTS = range(20_000, 32_000)
"""Where free ports are looked for: below the range from which systems take the ports of outgoing connections."""

_PROJECT = Path(__file__).resolve().parents[1]


class InstallationError(UnavailableError):
    """Something on this machine stops the installation. Carries ``what`` is wrong and the ``cure``."""

    slug = "installation"

    def __init__(self, what: str, *, cure: str) -> None:
        super().__init__(f"{what}\nCure: {cure}", what=what, cure=cure)
        self.what = what
        self.cure = cure


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One installation's folder. Two installations are two folders and share nothing.

    Layout: ``secrets/`` generated passwords, ``run/`` who runs now, ``logs/``, ``services/`` unpacked programs, and one
    folder for each embedded service's data. ``ports.json`` remembers the ports, so that addresses last.
    """

    root: Path

    @classmethod
    def find(cls, chosen: Path | None = None, environ: Mapping[str, str] = os.environ) -> "State":
        """The folder of ``--state``, of ``PARKING_STATE_DIR``, or this user's own; nothing is created yet.

        Raises: InstallationError if it lies inside the program's own folder.
        """
        root = (chosen or _default_root(environ)).expanduser().absolute()
        if root.resolve().is_relative_to(_PROJECT):
            raise InstallationError(
                f"The state folder {root} lies inside the program's own folder {_PROJECT}.",
                cure="choose a folder elsewhere: --state DIR or PARKING_STATE_DIR=DIR",
            )
        return cls(root=root)

    @property
    def run(self) -> Path:
        """Locks and records of what runs now."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One file a service or process."""
        return self.root / "logs"

    def prepare(self) -> None:
        """Create the folders, closed to others except for passing through as root.

        Raises: InstallationError naming the folder that cannot be used, and by whom.
        """
        open_to_services = 0o711 if os.geteuid() == 0 else 0o700
        _make_folder(self.root, open_to_services)
        for folder in (self.root / "secrets", self.run, self.logs):
            _make_folder(folder, 0o700)

    def secret(self, name: str) -> str:
        """The generated secret of this name, made at its first use: 256 bits in URL-safe letters, file mode 0600."""
        path = self.root / "secrets" / name
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            self.prepare()
            write_whole(path, secrets.token_urlsafe(32) + "\n")
            return path.read_text().strip()

    def port(self, name: str, *, renew: bool = False) -> int:
        """The remembered port of a service; a free one is picked at the first use, or when it is to be renewed."""
        path = self.root / "ports.json"
        remembered = _read_ports(path)
        if name not in remembered or renew:
            remembered[name] = free_port(without=set(remembered.values()))
            write_whole(path, json.dumps(remembered, indent=1) + "\n")
        return remembered[name]

    @contextmanager
    def lock(self, name: str, *, patience_seconds: float = 0) -> Iterator[bool]:
        """Hold the lock ``run/{name}.lock`` while inside; yields whether it came free in time. Our death frees it."""
        deadline = time.monotonic() + patience_seconds
        with (self.run / f"{name}.lock").open("a") as file:
            while not (is_ours := _try_lock(file)) and time.monotonic() < deadline:
                time.sleep(0.05)
            yield is_ours


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader, or the next start after a crash, sees all of it or the one before."""
    write_whole_bytes(path, text.encode(), mode)


def free_port(without: Collection[int] = ()) -> int:
    """A loopback TCP port that nobody listens on now."""
    for port in random.SystemRandom().sample(PORTS, k=500):
        if port not in without and is_port_free(port):
            return port
    raise InstallationError(
        f"No free TCP port was found on 127.0.0.1 between {PORTS.start} and {PORTS.stop}.",
        cure="end what holds the ports (ss -ltnp shows it)",
    )


def is_port_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_closed_folder(path: Path, uid: int, gid: int) -> Path | None:
    """The outermost folder on the way to ``path`` that this user may not pass through; None when the way is open."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            return None
        facts = folder.stat()
        if facts.st_uid == uid:
            needed = stat.S_IXUSR
        elif facts.st_gid == gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not facts.st_mode & needed:
            return folder
    return None


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _default_root(environ: Mapping[str, str]) -> Path:
    if chosen := environ.get("PARKING_STATE_DIR"):
        return Path(chosen)
    if os.geteuid() == 0:
        return ROOT_STATE
    return Path(environ.get("XDG_STATE_HOME") or "~/.local/state") / "smart-parking"


def _make_folder(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
        if usable and folder.stat().st_uid == os.geteuid():
            folder.chmod(mode)
    except OSError as refusal:
        raise InstallationError(
            f"The folder {folder} cannot be made: {refusal.strerror}.",
            cure="make room or give the right to write there, or choose another: --state DIR or PARKING_STATE_DIR=DIR",
        ) from refusal
    if not usable:
        raise InstallationError(
            f"The folder {folder} may not be read and written by this user (uid {os.geteuid()}).",
            cure="run as the user that owns it, or choose another: --state DIR or PARKING_STATE_DIR=DIR",
        )


def _read_ports(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {str(name): int(port) for name, port in found.items()}
