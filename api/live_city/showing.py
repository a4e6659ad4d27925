"""What is shown of the city right now: the newest picture, and the answers made from it, once for everybody."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

from api.live_city.answers import (
    Answer,
    Kept,
    city_answer,
    lot_spaces_answer,
    lots_answer,
    spaces_answer,
    states_body,
)
from api.live_city.city import CountReport, LiveCity, SpaceReport, Turnover
from api.live_city.picture import Picture, changes_between
from api.live_city.prices import Prices
from api.live_city.registry import Registry
from api.live_city.stream import Stream
from core.clock import Clock
from core.geo import Bounds

WGS84, GCJ02 = "wgs84", "gcj02"


class Showing:
    """The face of one process's city. Its loop writes, every request reads; both on one event loop."""

    def __init__(self, clock: Clock) -> None:
        """Show an empty city until the tables have been read."""
        started_ms = time.time_ns() // 1_000_000
        self.touched = asyncio.Event()
        """Set when something may have changed since the last picture."""
        self._clock = clock
        self._city = LiveCity()
        self._prices = Prices()
        # a second per version at most, so a restarted process never shows a lower one than before
        self.picture: Picture = self._city.picture(started_ms // 1_000, clock.now_ms(), {})
        self._changed = self.picture
        self._spaces, self._states, self._lots = Kept(), Kept(), Kept()
        self.stream = Stream(started_ms, self._snapshot)
        self.stream.begin(self.picture.version)
        self.is_loaded = False
        """Whether the tables have been read; before that there is nothing to show, not even an empty city."""

    @property
    def registry(self) -> Registry:
        """Lots and spaces of the newest picture."""
        return self.picture.registry

    @property
    def prices(self) -> Prices:
        """The price notices in force for these lots."""
        return self._prices

    @property
    def heard_ms(self) -> int | None:
        """When anything at all was last received from the street."""
        return self._city.last_heard_ms()

    def size(self) -> dict[str, int]:
        """How many lots and spaces there are."""
        return {"lots": len(self.registry.lots), "spaces": len(self.registry.spaces)}

    # --- written by the loop that follows the tables ------------------------------------------------------------

    async def rebuild(
        self,
        registry: Registry,
        states: Iterable[SpaceReport],
        counts: Iterable[CountReport],
        turnover: Iterable[Turnover],
        prices: Prices,
    ) -> None:
        """Show another registry; viewers are told only if the order of spaces, or anything they see, has changed."""
        now_ms = self._clock.now_ms()
        city = LiveCity()
        city.rebuild(registry, states, now_ms)
        city.count(counts, now_ms)
        city.remember([*turnover, *self._city.counted_turnover()])
        answer = await asyncio.to_thread(_spaces_with_etag, registry)
        self._spaces.get(registry, WGS84, lambda: answer)
        same_order = answer.etag == self.spaces().etag and list(registry.lot_at) == list(self.registry.lot_at)
        self._city, self._prices = city, prices
        self.is_loaded = True
        if not same_order:
            self.picture = self._changed = city.picture(self.picture.version + 1, now_ms, prices.hour_fen(now_ms))
            self.stream.begin(self.picture.version)
        self.touched.set()

    def take(self, states: Iterable[SpaceReport], counts: Iterable[CountReport]) -> None:
        """Take in what was written since."""
        now_ms = self._clock.now_ms()
        self._city.take(states, now_ms)
        self._city.count(counts, now_ms)
        self.touched.set()

    def show(self) -> bool:
        """Make the next picture and tell the viewers what has changed; whether anything has."""
        self.touched.clear()
        now_ms = self._clock.now_ms()
        self._city.age(now_ms)
        before = self.picture
        after = self._city.picture(before.version, now_ms, self._prices.hour_fen(now_ms))
        changes = changes_between(before, after)
        if not changes:
            if after.registry is not before.registry or after.lots != before.lots:
                self.picture = after  # nothing for the stream, but a newer age, trend, price or name of a lot
            return False
        self.picture = self._changed = replace(after, version=before.version + 1)
        self.stream.publish(self.picture, changes)
        return True

    # --- read by requests -----------------------------------------------------------------------------------------

    def spaces(self, *, gcj02: bool = False) -> Answer:
        """``/spaces``."""
        registry = self.registry
        return self._spaces.get(registry, GCJ02 if gcj02 else WGS84, lambda: spaces_answer(registry, gcj02=gcj02))

    def states(self) -> Answer:
        """``/spaces/state``."""
        return self._states.get(self._changed, "states", lambda: Answer(states_body(self._changed, self.spaces().etag)))

    def lots(self, *, gcj02: bool = False, bbox: Bounds | None = None) -> Answer:
        """``/lots``; a box is cut out anew for everybody who asks for one."""
        texts = self._prices.texts
        if bbox is not None:
            return lots_answer(self.picture, texts, gcj02=gcj02, bbox=bbox)
        return self._lots.get(self.picture, gcj02, lambda: lots_answer(self.picture, texts, gcj02=gcj02))

    def lot_spaces(self, index: int, *, gcj02: bool = False) -> Answer:
        """``/lots/{id}/spaces``."""
        return self._lots.get(self.picture, (index, gcj02), lambda: lot_spaces_answer(self.picture, index, gcj02=gcj02))

    def frame(self, *, gcj02: bool = False) -> Answer:
        """``/city``."""
        registry = self.registry
        return self._spaces.get(registry, ("city", gcj02), lambda: city_answer(registry, gcj02=gcj02))

    def _snapshot(self) -> tuple[int, bytes]:
        """The stream's snapshot; unlike a cached answer it carries the present instant."""
        return self.picture.version, states_body(self._changed, self.spaces().etag, self._clock.now_ms())


def _spaces_with_etag(registry: Registry) -> Answer:
    """Encoding and digesting a large city takes a while, so this runs in a thread."""
    answer = spaces_answer(registry)
    assert answer.etag  # noqa: S101 - computed here, kept in the answer
    return answer
