"""The real database and the real broker, started once for a test run in a folder of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ops.services import RunningServices, start
from ops.state import State

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only looked at; the folder in it has a name of its own
MEMORY_BYTES: Final = 4 << 30
"""Room that a run's databases never fill; a container usually has 64 MB there."""


@contextmanager
def running_services() -> Iterator[RunningServices]:
    """Private services; only the unpacked programs are shared with this user's own installation."""
    folder = folder_for_state()
    try:
        with start(State.find(folder / "state"), progress=lambda _: None) as services:
            yield services
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def folder_for_state() -> Path:
    """A new folder for a state folder; the unpacked programs are those of this user's own installation."""
    os.environ.setdefault("PARKING_SERVICES_DIR", str(State.find().root / "services"))
    folder = Path(tempfile.mkdtemp(prefix="parking-test-", dir=_roomy_memory()))
    folder.chmod(0o711)  # as root the services run as another user, who must pass
    return folder


def _roomy_memory() -> Path | None:
    """Where a database for each test is copied fastest: in memory, if there is room; None: wherever others are.

    Nothing is proved less by it: a process that is killed leaves its files either way, and no test cuts the power.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    return MEMORY if roomy else None
