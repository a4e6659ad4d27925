"""Putting the issued users in force: password file and access list from the registry, read by the broker at once."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError

from core.db import Database, plain_url
from ops.broker.credentials import CHANGED, list_admitted
from ops.services import accounts, mosquitto
from ops.services.accounts import Account
from ops.services.processes import LOG_LIMIT_BYTES, ServiceUser
from ops.services.running import find_service
from ops.state import InstallationError, State, write_whole

log = structlog.get_logger()

REGISTRY_CHANGED: Final = "parking_registry"
LOOK_AGAIN_SECONDS: Final = 60.0
"""A notification may be missed: whatever was, is put in force by then."""
TELL_AGAIN_SECONDS: Final = 60.0
"""Between two words about the same trouble."""
RETRY_SECONDS: Final = 2.0
_GATHER_SECONDS: Final = 0.3
"""An import notifies more than once."""

_TROUBLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DBAPIError,
    InstallationError,
)


async def fetch_admitted(url: str) -> list[Account]:
    """Who is let in, as the database says now."""
    database = Database(url, pool_size=1, application="parking-broker")
    try:
        async with database.transaction() as db:
            return await list_admitted(db)
    finally:
        await database.close()


def apply(state: State, admitted: Sequence[Account]) -> bool:
    """Make these the users of this installation's broker; False when that is already so and nothing was done."""
    digest = accounts.render_access(admitted) + accounts.render_passwords(admitted)
    done = state.root / mosquitto.NAME / "registered.applied"
    if done.exists() and done.read_text() == digest:
        return False
    mosquitto.admit(state, ServiceUser.find(), admitted)
    write_whole(done, digest)
    return True


def write_files(folder: Path, admitted: Sequence[Account]) -> None:
    """The same two files for a broker elsewhere: to be added to those of our own processes there."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "registered.passwords", accounts.render_passwords(admitted))
    write_whole(folder / "registered.access", accounts.render_access(admitted))


@contextmanager
def following(state: State, url: str) -> Iterator[None]:
    """Put every change of the registry and of issued users in force while inside; nothing where the broker is not ours.

    It runs in a thread of its own: whoever keeps an installation running waits for other things.
    """
    if find_service(state, mosquitto.NAME) is None:
        yield
        return
    loop = asyncio.new_event_loop()
    following = loop.create_task(_follow(state, url))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(following)
        loop.close()

    thread = threading.Thread(target=run, name="broker accounts")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(following.cancel)
        thread.join()


async def _follow(state: State, url: str) -> None:
    told_at = -TELL_AGAIN_SECONDS
    while True:
        try:
            await _follow_connected(state, url)
        except _TROUBLE as error:
            if time.monotonic() - told_at >= TELL_AGAIN_SECONDS:
                told_at = time.monotonic()
                log.warning("broker_accounts.not_followed", why=type(error).__name__, retried="until it works")
            await asyncio.sleep(RETRY_SECONDS)


async def _follow_connected(state: State, url: str) -> None:
    changed = asyncio.Event()

    def wake(*_: object) -> None:
        changed.set()

    listener = await asyncpg.connect(plain_url(url), timeout=10)
    try:
        for channel in (CHANGED, REGISTRY_CHANGED):
            await listener.add_listener(channel, wake)
        listener.add_termination_listener(wake)
        while not listener.is_closed():
            changed.clear()
            await _apply_newest(state, url)
            await _until(changed, LOOK_AGAIN_SECONDS)
            await asyncio.sleep(_GATHER_SECONDS)
    finally:
        listener.terminate()


async def _apply_newest(state: State, url: str) -> None:
    admitted = await fetch_admitted(url)
    if await asyncio.to_thread(apply, state, admitted):
        log.info("broker_accounts.applied", users=len(admitted))
    await asyncio.to_thread(_trim_log, state.logs / f"{mosquitto.NAME}.log")


def _trim_log(file: Path) -> None:
    """Put a log that has grown too long aside; the broker goes on writing at the beginning of the same file."""
    if file.exists() and file.stat().st_size > LOG_LIMIT_BYTES:
        file.with_name(file.name + ".1").write_bytes(file.read_bytes())
        file.write_bytes(b"")


async def _until(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
