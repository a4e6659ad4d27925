"""Between the broker and the writer: a bounded queue, handed out in batches by size or age."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

BATCH_BYTES: Final = 1_000_000
"""A batch ends with the message that exceeds this: gateways send hundreds of readings in one."""


class Message(NamedTuple):
    """One MQTT message as it came, and what its acknowledgement needs."""

    topic: str
    payload: bytes
    received_ms: int
    """When it was received, on the installation's clock."""
    epoch: int
    """The connection it came on; an acknowledgement never crosses connections."""
    mid: int
    qos: int


class Inbox:
    """Messages received and not yet written, oldest first.

    The broker's in-flight window bounds it in ordinary life; ``limit`` bounds it whatever the broker does.
    """

    def __init__(self, *, batch_size: int, flush_after_ms: int, limit: int) -> None:
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._full_batch = asyncio.Event()
        self._closed = False
        self._batch_size = batch_size
        self._flush_after_seconds = flush_after_ms / 1_000
        self.limit = limit

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_closed(self) -> bool:
        """Whether the process is to end once this is empty."""
        return self._closed

    @property
    def is_full(self) -> bool:
        """Whether it holds more than its limit: the subscriber then stops reading, and the broker queues."""
        return len(self._messages) > self.limit

    @property
    def is_half_empty(self) -> bool:
        """Whether a subscriber that has stopped may go on reading."""
        return 2 * len(self._messages) <= self.limit

    @property
    def has_room(self) -> bool:
        """Whether another connection may begin: its whole window fits in, so it is not dropped for the same reason."""
        return not self._messages

    def put(self, message: Message) -> None:
        """Take a message; never blocks, called from the network's callback."""
        self._messages.append(message)
        self._bytes += len(message.payload)
        self._filled.set()
        if self._has_full_batch:
            self._full_batch.set()

    def close(self) -> None:
        """No more messages will come; ``batches`` ends after the last."""
        self._closed = True
        self._filled.set()
        self._full_batch.set()

    async def batches(self, *, idle_seconds: float, is_free: asyncio.Event) -> AsyncIterator[list[Message]]:
        """Batches of at most ``batch_size`` messages and a megabyte, none old when the writer keeps up.

        Args:
            idle_seconds: after so long without a message an empty batch comes, so that the writer can do what is due.
            is_free: whether the writer could begin at once; until it can, only a full batch is taken.
        """
        while not self._closed or self._messages:
            if not self._messages:
                self._filled.clear()
                if not await _set_within(self._filled, idle_seconds):
                    yield []
                continue
            if not self._has_full_batch and not self._closed:
                self._full_batch.clear()
                if not await _set_within(self._full_batch, self._flush_after_seconds):
                    await _either(self._full_batch, is_free)
            yield self._take()

    @property
    def _has_full_batch(self) -> bool:
        return len(self._messages) >= self._batch_size or self._bytes >= BATCH_BYTES

    def _take(self) -> list[Message]:
        batch: list[Message] = []
        taken = 0
        while self._messages and taken < BATCH_BYTES and len(batch) < self._batch_size:
            message = self._messages.popleft()
            taken += len(message.payload)
            batch.append(message)
        self._bytes -= taken
        return batch


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
