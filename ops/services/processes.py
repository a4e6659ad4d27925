"""Starting programs so that they outlive nobody unnoticed: as which user, recorded how, found again and stopped."""

import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.state import InstallationError, find_closed_folder, write_whole

LOG_LIMIT_BYTES = 20_000_000
"""A log beyond this is put aside as ``.1`` at the next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUser:
    """Who the services run as when we are root: PostgreSQL refuses root, and nothing here needs it."""

    name: str
    uid: int
    gid: int

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ) -> "ServiceUser | None":
        """``PARKING_SERVICES_USER``, else ``nobody``; None when we are an ordinary user and stay who we are.

        Raises: InstallationError if the user has no entry in the password database, which ``initdb`` needs.
        """
        if os.geteuid() != 0:
            return None
        name = environ.get("PARKING_SERVICES_USER", "nobody")
        try:
            entry = pwd.getpwnam(name)
        except KeyError as unknown:
            raise InstallationError(
                f"The services are to run as the user {name!r}, whom this machine does not know.",
                cure="name an existing ordinary user: PARKING_SERVICES_USER=NAME",
            ) from unknown
        return cls(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One process, told from a later one with the same number by when it started."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Running | None":
        """The process of this number now; None when there is none, or only its unreaped remains."""
        started = _started(pid)
        return None if started is None else cls(pid=pid, started=started)

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return _started(self.pid) == self.started

    def stop(self, *signals: signal.Signals, patience_seconds: float) -> bool:
        """Send the signals in turn, each with its share of patience, SIGKILL last; whether the first one was enough."""
        for attempt in (*signals, signal.SIGKILL):
            if not self.is_alive():
                return True
            os.kill(self.pid, attempt)
            if self.has_ended_within(patience_seconds):
                return attempt == signals[0]
        return False

    def has_ended_within(self, seconds: float) -> bool:
        """Wait for the end of it; reaps it if it is our child."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _reap(self.pid)
            if not self.is_alive():
                return True
            time.sleep(0.02)
        return False


def launch(
    argv: Sequence[str | Path], *, user: ServiceUser | None, folder: Path, log: Path, environ: Mapping[str, str]
) -> Running:
    """Start a service in its folder and in a session of its own, so that a Ctrl-C meant for us does not reach it.

    Args:
        argv: the program and its arguments.
        user: whom to become; None stays.
        folder: its working folder, by which ``find_in`` finds it should the record be lost.
        log: where its output is appended.
        environ: its whole environment.
    """
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.rename(log.with_name(log.name + ".1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=dict(environ),
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    running = Running.of(child.pid)
    return running or Running(pid=child.pid, started="ended at once")


def plain_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment for a service: the way to programs, and none of our settings and secrets."""
    return {"PATH": environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def own_folder(folder: Path, user: ServiceUser | None) -> None:
    """Make a service's folder, closed to all but the service.

    Raises: InstallationError when the service's user may not pass through a folder on the way.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    give(folder, user)
    if user and (closed := find_closed_folder(folder, user.uid, user.gid)):
        raise InstallationError(
            f"The services run as {user.name}, who may not pass through {closed} to {folder}.",
            cure=f"chmod o+x {closed}, or choose a folder that others may pass through: --state DIR",
        )


def give(path: Path, user: ServiceUser | None) -> None:
    """Make the service's user the owner."""
    if user:
        os.chown(path, user.uid, user.gid)


def tail(log: Path, since_bytes: int) -> str:
    """The last lines that were appended to a log since it had this size."""
    with log.open("rb") as file:
        file.seek(since_bytes if log.stat().st_size >= since_bytes else 0)
        return last_lines(file.read().decode(errors="replace"))


def last_lines(words: str) -> str:
    """At most ten, indented."""
    return "\n".join(f"  {line}" for line in words.strip().splitlines()[-10:])


def cure_for(words: str) -> str:
    """What to do about a program that ended with these words."""
    if "No space left" in words or "Disk quota exceeded" in words or "File too large" in words:
        return "make room on the disk and start again, or choose a folder on another one: --state DIR"
    if "Permission denied" in words:
        return "give the user of the services the right to that file, or choose another folder: --state DIR"
    return "parking doctor says more; a fresh folder (--state DIR) starts over without touching this one"


def record(path: Path, running: Running) -> None:
    """Write down who runs, for the next start and for commands run beside us."""
    write_whole(path, json.dumps(asdict(running)) + "\n")


def find_recorded(path: Path) -> Running | None:
    """The recorded process if it still runs."""
    try:
        running = Running(**json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError, TypeError):
        return None
    return running if running.is_alive() else None


def find_in(folder: Path, program: str) -> tuple[Running, ...]:
    """Processes of this program that work in the folder, the eldest first; those we may not look at are not ours."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (entry / "exe").readlink().name.startswith(program) and (entry / "cwd").readlink() == folder
        except OSError:
            continue
        if is_ours and (running := Running.of(int(entry.name))):
            found.append(running)
    return tuple(sorted(found, key=lambda running: running.pid))


def _started(pid: int) -> str | None:
    """The boot and the tick at which a process started; None if it does not run."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _started_by_ps(pid)
    except ProcessLookupError:
        return None
    return None if after_name[0] in "ZX" else f"{boot} {after_name[19]}"


def _started_by_ps(pid: int) -> str | None:
    """As ``_started``, on systems without ``/proc``."""
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
