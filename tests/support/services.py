"""The real database and the real broker, started once for a test run in a folder of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.services import RunningServices, start
from ops.state import State


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
    folder = Path(tempfile.mkdtemp(prefix="parking-test-"))
    folder.chmod(0o711)  # as root the services run as another user, who must pass
    return folder
