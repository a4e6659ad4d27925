"""Which notifications were heard in the last minutes. Pure but for its memory."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from billing.providers.port import ForgedError, Notification

KEPT_FOR: Final = timedelta(minutes=10)
KEPT_AT_MOST: Final = 20_000


@dataclass(slots=True, kw_only=True)
class Recent:
    """Verified notifications by what makes each unique, forgotten after ten minutes.

    A repetition is answered with the same notification, not refused: the first one may have been lost between here and
    the commit. That nothing is booked twice is the booking's own promise.
    """

    provider: str
    heard: OrderedDict[str, tuple[datetime, bytes, Notification]] = field(default_factory=OrderedDict)

    def find(self, mark: str, body: bytes, now: datetime) -> Notification | None:
        """What was understood under this mark before.

        Raises:
            ForgedError: the mark (a nonce, a notification's id) came with another body before.
        """
        self._forget(now)
        known = self.heard.get(mark)
        if known is None:
            return None
        if known[1] != hashlib.sha256(body).digest():
            raise ForgedError(
                "a notification's number came again with other content", provider=self.provider, why="replay"
            )
        return known[2]

    def remember(self, mark: str, body: bytes, notification: Notification, now: datetime) -> None:
        """Keep it; the oldest go when there are too many."""
        self.heard[mark] = (now, hashlib.sha256(body).digest(), notification)
        if len(self.heard) > KEPT_AT_MOST:
            self.heard.popitem(last=False)

    def _forget(self, now: datetime) -> None:
        while self.heard:
            mark, (at, _, _) = next(iter(self.heard.items()))
            if now - at <= KEPT_FOR:
                return
            del self.heard[mark]
