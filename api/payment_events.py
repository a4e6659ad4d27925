"""Who waits for a payment, and how they are woken: by the database's own NOTIFY, with a look now and then besides."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from uuid import UUID

import msgspec

from api.payment_shapes import payment_object
from billing.payments.states import PublicStatus
from billing.payments.views import fetch_view
from core.db import Database
from core.errors import UnavailableError

BEAT_EVERY_SECONDS: Final = 15.0
LOOK_EVERY_SECONDS: Final = 5.0
"""The safety net under NOTIFY."""
MOST_WAITING: Final = 5_000
FINAL: Final = frozenset({PublicStatus.CLOSED, PublicStatus.FAILED, PublicStatus.REFUNDED, PublicStatus.PAID})
"""After one of these the stream ends."""


class TooManyWaitingError(UnavailableError):
    """This process streams to as many as it can."""

    slug = "too-many-waiting"


class Waiting:
    """Those who watch payments in this process."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._is_closed = False

    def __len__(self) -> int:
        return sum(map(len, self._bells.values()))

    def refuse_if_full(self) -> None:
        """Keep the door shut to a crowd nobody expects.

        Raises:
            TooManyWaitingError: as many as can be served are watching.
        """
        if len(self) >= MOST_WAITING:
            raise TooManyWaitingError("too many are waiting for payments here; ask /payments/{id} instead")

    def wake(self, payment_id: str) -> None:
        """This payment has changed; "" when any may have."""
        bells = self._bells.get(payment_id, set()) if payment_id else set().union(*self._bells.values())
        for bell in bells:
            bell.set()

    def close(self) -> None:
        """End every stream."""
        self._is_closed = True
        self.wake("")

    async def watch(self, database: Database, payment_id: UUID) -> AsyncIterator[bytes]:
        """The payment's states as server-sent events, from the present one to a final one."""
        shown: dict[str, Any] | None = None
        quiet = 0.0
        with self._bell(str(payment_id)) as bell:
            while not self._is_closed:
                bell.clear()
                async with database.transaction() as db:
                    view = await fetch_view(db, payment_id)
                body = payment_object(view)
                if body != shown:
                    shown, quiet = body, 0.0
                    yield b"event: payment\ndata: " + msgspec.json.encode(body) + b"\n\n"
                elif quiet >= BEAT_EVERY_SECONDS:
                    quiet = 0.0
                    yield b": still here\n\n"
                if view.status in FINAL:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_SECONDS):
                        await bell.wait()
                        continue
                quiet += LOOK_EVERY_SECONDS

    @contextmanager
    def _bell(self, payment_id: str) -> Any:
        bell = asyncio.Event()
        self._bells[payment_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[payment_id].discard(bell)
            if not self._bells[payment_id]:
                del self._bells[payment_id]
