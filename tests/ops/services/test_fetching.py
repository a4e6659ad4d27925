"""Fetching and unpacking Debian's packages when things go wrong on the way: a clear word, and the next try works."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.services.processes import ServiceUser
from ops.services.unpack import Unpacked, find_patchelf, find_unpacked, prefetch, unpack
from ops.state import InstallationError, State

pytestmark = pytest.mark.services

PROJECT = Path(__file__).parents[3]
BROKER = {"mosquitto"}
"""The smaller of the two: 12 MB instead of 42."""

UNPACK = """
import sys
from pathlib import Path
from ops.services.unpack import unpack
unpack(Path(sys.argv[1]), {"mosquitto"}, lambda words: print(words, flush=True))
"""


def runs(unpacked: Unpacked) -> bool:
    told = subprocess.run([unpacked.mosquitto, "-h"], capture_output=True, text=True, check=False)
    return "mosquitto version" in told.stdout


@pytest.fixture
def folder(new_state: Callable[[], State]) -> Path:
    """Where nothing has been fetched yet."""
    return new_state().root / "services"


def test_an_archive_cut_short_or_changed_is_fetched_again(folder: Path) -> None:
    prefetch(folder, BROKER, lambda _: None)
    plan = json.loads((folder / "archives/plan.json").read_text())
    short, changed = (folder / "archives" / archive["file"] for archive in plan["archives"][:2])
    short.write_bytes(short.read_bytes()[:1000])
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    unpacked = unpack(folder, BROKER, lambda _: None)
    assert runs(unpacked)
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "trixie"]  # the archives are not kept


def test_a_fetch_killed_half_way_goes_on_at_the_next_start(folder: Path) -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", UNPACK, str(folder)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert command.stdout is not None
    for words in command.stdout:
        if words.startswith("downloading"):
            break
    command.send_signal(signal.SIGKILL)
    command.communicate()
    assert find_unpacked(folder, BROKER) is None
    assert runs(unpack(folder, BROKER, lambda _: None))


def test_two_starts_at_once_fetch_once(folder: Path) -> None:
    commands = [
        subprocess.Popen([sys.executable, "-c", UNPACK, str(folder)], stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        for _ in range(2)
    ]
    told = [command.communicate()[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0]
    assert sorted("waiting" in words for words in told) == [False, True]
    assert sum("unpacking" in words for words in told) == 1


def test_a_disk_that_fills_up_is_told_and_the_next_try_works(folder: Path) -> None:
    def fill_up() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, "-c", UNPACK, str(folder)],
        capture_output=True, text=True, check=False, cwd=PROJECT, preexec_fn=fill_up,
    )  # fmt: skip
    assert done.returncode == 1
    assert "InstallationError" in done.stderr
    assert "Cure: " in done.stderr
    assert find_unpacked(folder, BROKER) is None
    assert runs(unpack(folder, BROKER, lambda _: None))


def test_a_folder_that_may_not_be_written_is_told(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file where the folder should be")
    with pytest.raises(InstallationError, match="cannot be kept in") as stop:
        unpack(folder, BROKER, lambda _: None)
    assert "--state DIR" in stop.value.cure


def test_a_tree_that_was_moved_is_not_taken_for_whole(programs: Path, folder: Path) -> None:
    shutil.copytree(programs / "trixie", folder / "trixie", copy_function=os.link, symlinks=True)
    assert find_unpacked(programs, BROKER) is not None
    assert find_unpacked(folder, BROKER) is None  # its programs point to where it was


STRANGER = """
import os, sys
from pathlib import Path
from ops.services import find_running, start
from ops.state import State
with start(State.find(), lambda words: print(words, flush=True)) as services:
    assert services.dead() == ()
    print("user", os.geteuid(), "root", State.find().root, "mode", oct(State.find().root.stat().st_mode & 0o777))
"""


@pytest.fixture
def for_anybody(new_state: Callable[[], State]) -> Path:
    """What a start needs, in a folder that any user may read: a checkout may be closed to others."""
    shared = new_state().root
    shared.mkdir(mode=0o755)
    for package in ("core", "ops"):
        shutil.copytree(PROJECT / package, shared / "project" / package)
    (shared / "bin").mkdir()
    shutil.copy(find_patchelf(), shared / "bin")
    return shared


def interpreter_for_anybody() -> str:
    """A Python that other users may run; ours may lie in root's home."""
    for candidate in (Path(sys.executable).resolve(), Path("/usr/bin/python3")):
        open_way = all(folder.stat().st_mode & stat.S_IXOTH for folder in candidate.parents)
        if open_way and candidate.exists():
            return str(candidate)
    pytest.fail("no Python on this machine that another user may run: apt-get install python3")


def as_somebody(shared: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a start as the services' user if we are root, else as ourselves."""
    user = ServiceUser.find()
    plain = {"PATH": f"{shared / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(shared / "project")}
    return subprocess.run(
        [interpreter_for_anybody(), "-c", STRANGER],
        capture_output=True, text=True, check=False, env=plain | environ, cwd="/",
        user=user.uid if user else None, group=user.gid if user else None, extra_groups=[] if user else None,
    )  # fmt: skip


def test_a_state_folder_of_somebody_else_is_told(for_anybody: Path) -> None:
    closed = for_anybody / "closed"
    closed.mkdir(mode=0o000)
    done = as_somebody(for_anybody, PARKING_STATE_DIR=str(closed))
    assert done.returncode == 1
    assert f"The folder {closed} may not be read and written by this user" in done.stderr
    assert "--state DIR" in done.stderr


def test_an_ordinary_user_needs_nobodys_help(for_anybody: Path) -> None:
    """As root: becomes nobody, with a home of its own. As an ordinary user: is one."""
    user = ServiceUser.find()
    home = for_anybody / "home"
    home.mkdir(mode=0o700)
    if user:
        os.chown(home, user.uid, user.gid)
    done = as_somebody(for_anybody, HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last == [
        "user",
        str(user.uid if user else os.geteuid()),
        "root",
        f"{home}/.local/state/smart-parking",
        "mode",
        "0o700",
    ]
