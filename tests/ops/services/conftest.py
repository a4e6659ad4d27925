"""Installations of their own for the tests: real programs, unpacked once, where the services' user may reach them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.services.unpack import unpack
from ops.state import State

NewState = Callable[[], State]


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that others may pass through; pytest's own are closed to the services' user."""
    folder = Path(tempfile.mkdtemp(prefix="parking-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """Unpacked programs: those of PARKING_SERVICES_DIR, else Debian's, fetched now."""
    if chosen := os.environ.get("PARKING_SERVICES_DIR"):
        unpack(Path(chosen), {"postgres", "mosquitto"}, lambda _: None)
        yield Path(chosen)
    else:
        with reachable_folder() as folder:
            unpack(folder / "services", {"postgres", "mosquitto"}, lambda _: None)
            yield folder / "services"


@pytest.fixture
def new_state(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewState]:
    """Fresh state folders that share the unpacked programs and take nothing from our environment."""
    for name in ("PARKING_DATABASE_URL", "PARKING_MQTT_URL", "PARKING_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PARKING_SERVICES_DIR", str(programs))
    with reachable_folder() as folder:
        count = iter(range(100))
        yield lambda: State.find(folder / f"state-{next(count)}")


@pytest.fixture
def state(new_state: NewState) -> State:
    return new_state()
