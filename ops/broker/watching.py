"""Naming those whom the broker denies: it says so only in its debugging log, which is too much to be kept on.

A denied publisher gets its acknowledgement (MQTT 3.1.1 has no other answer), so nothing else tells who it was.
"""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import UnavailableError
from ops.services import mosquitto
from ops.services.running import find_service
from ops.state import State, write_whole

_DENIED: Final = re.compile(r"Denied PUBLISH from (.*) \(d\d, q\d, r\d, m\d+, '(.*)', \.\.\.")
_CAME: Final = re.compile(r"New client connected from (.*):\d+ as (.*) \(p\d, c\d, k\d+(?:, u'(.*)')?\)")
_READ_BYTES: Final = 1 << 20
_LOOK_EVERY_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Somebody who published where it may not."""

    client: str
    user: str
    """Empty when it came before the log began."""
    address: str
    topic: str


def watch(state: State, *, seconds: float, until: Callable[[], bool] = lambda: False) -> Counter[Denied]:
    """Who was denied what in this time, how often; the broker logs every packet meanwhile.

    Raises:
        UnavailableError: this installation has no broker of its own that runs.
    """
    log = state.logs / f"{mosquitto.NAME}.log"
    came = _who_came(log)
    denied: Counter[Denied] = Counter()
    with _debugging(state), log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and not until():
            for line in file.read(_READ_BYTES).decode(errors="replace").splitlines():
                _remember(came, line)
                if found := _DENIED.search(line):
                    user, address = came.get(found[1], ("", ""))
                    denied[Denied(client=found[1], user=user, address=address, topic=found[2])] += 1
            if file.tell() >= log.stat().st_size:
                time.sleep(_LOOK_EVERY_SECONDS)
    return denied


@contextmanager
def _debugging(state: State) -> Iterator[None]:
    """The broker's debugging log on while inside; off again afterwards, whatever happens."""
    broker = find_service(state, mosquitto.NAME)
    if broker is None:
        raise UnavailableError("this installation has no broker of its own that runs; ask the one it uses")
    file = state.root / mosquitto.NAME / "mosquitto.conf"
    settings = file.read_text().replace("log_type debug\n", "")
    owner = file.stat()

    def tell(text: str) -> None:
        write_whole(file, text)
        os.chown(file, owner.st_uid, owner.st_gid)
        os.kill(broker.pid, signal.SIGHUP)

    try:
        tell(settings.replace("log_type error\n", "log_type error\nlog_type debug\n"))
        yield
    finally:
        tell(settings)


def _who_came(log: Path) -> dict[str, tuple[str, str]]:
    """User and address of each client id, from the log so far."""
    came: dict[str, tuple[str, str]] = {}
    with log.open("rb") as file:
        for line in file:
            _remember(came, line.decode(errors="replace"))
    return came


def _remember(came: dict[str, tuple[str, str]], line: str) -> None:
    if found := _CAME.search(line):
        came[found[2]] = (found[3] or "", found[1])
