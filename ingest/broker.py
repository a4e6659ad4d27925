"""What the broker says of itself: its counters, who was turned away, and what it took and nobody got.

Mosquitto's names under ``$SYS``; a broker that has others tells nothing here and nothing is missed but the watching.
"""

import re
import time
from collections import OrderedDict
from typing import Final

import structlog

from ingest import metrics

log = structlog.get_logger()

_FIGURES: Final = {
    "clients/connected": metrics.broker_clients,
    "messages/inflight": metrics.broker_inflight,
    "store/messages/count": metrics.broker_stored,
    "store/messages/bytes": metrics.broker_stored_bytes,
    "heap/current": metrics.broker_heap,
    "retained messages/count": metrics.broker_retained,
    "publish/messages/dropped": metrics.broker_dropped,
    "publish/messages/received": metrics.broker_received,
}
_ROUND_ENDS: Final = "publish/messages/sent"
"""Changes in every round, after all that is compared here."""
_LOG: Final = "log/N"
WATCHED: Final = tuple(f"$SYS/broker/{name}" for name in (*_FIGURES, _ROUND_ENDS, _LOG))
"""No more than is read here, and never the broker's errors. One of them is that a TLS connection cannot be written to,
which Mosquitto 2.0 would tell us over that very connection, and that again, until its stack is used up."""
_TURNED_AWAY: Final = re.compile(r"Client (.*) disconnected, not authorised\.")
_NAMED_EVERY_SECONDS: Final = 600.0
_NAMES_KEPT: Final = 1_000


class BrokerFigures:
    """The newest figures of one broker, and what is wrong in them. Begins anew when the broker does."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self._dropped_before: int | None = None
        self._denied_before: int | None = None
        self._round_before: tuple[int, int] | None = None
        self._left_over = 0
        """What lies in the broker's store though nothing is under way: for somebody who is away, or for nobody."""
        self._named: OrderedDict[str, float] = OrderedDict()

    @property
    def waiting(self) -> int | None:
        """Messages that the broker holds for somebody; None when it does not say."""
        stored = self.values.get("store/messages/count")
        return None if stored is None else max(0, stored - self.values.get("retained messages/count", 0))

    def take(self, topic: str, payload: bytes, *, is_old: bool, accounted: int, in_hand: int) -> None:
        """One message from under ``$SYS``.

        Args:
            topic: as it came.
            payload: a number, or a line of the broker's log.
            is_old: it is of an earlier round, kept for those who subscribe.
            accounted: how many messages this process has had and is done with so far.
            in_hand: how many it has received and not acknowledged.
        """
        name = topic.removeprefix("$SYS/broker/")
        if name == _LOG:
            self._read_line(payload.decode(errors="replace"))
        elif name == _ROUND_ENDS:
            if not is_old:
                self._watch_denied(accounted, in_hand)
        elif name in _FIGURES and payload.isdigit():
            self._keep(name, int(payload))

    def _keep(self, name: str, number: int) -> None:
        if name == "publish/messages/received" and number < self.values.get(name, 0):
            self.values, self._dropped_before, self._denied_before = {}, None, None  # the broker began anew
            self._round_before, self._left_over = None, 0
        self.values[name] = number
        _FIGURES[name].set(number)
        if name == "publish/messages/dropped":
            before, self._dropped_before = self._dropped_before, number
            if before is not None and number > before:
                log.error("broker.dropped_messages", more=number - before, since_its_start=number)

    def _watch_denied(self, accounted: int, in_hand: int) -> None:
        """Count what the broker took and passed on to nobody, in rounds in which nothing is under way."""
        received, waiting = self.values.get("publish/messages/received"), self.waiting or 0
        if received is None or in_hand:
            return
        is_quiet = (received, waiting) == self._round_before
        self._round_before = received, waiting
        if waiting < self._left_over or (is_quiet and waiting > self._left_over):
            self._left_over, self._denied_before = waiting, None
        if waiting > self._left_over:
            return
        denied = received - self.values.get("publish/messages/dropped", 0) - accounted
        before = self._denied_before
        if before is not None and denied > before:
            metrics.broker_denied.inc(denied - before)
            log.error("broker.denied_publishing", messages=denied - before, cure="parking broker watch names who")
        self._denied_before = denied if before is None else max(denied, before)

    def _read_line(self, line: str) -> None:
        found = _TURNED_AWAY.search(line)
        if found is None:
            return
        metrics.broker_turned_away.inc()
        client, now = found[1], time.monotonic()
        if now - self._named.get(client, -_NAMED_EVERY_SECONDS) >= _NAMED_EVERY_SECONDS:
            self._named[client] = now
            self._named.move_to_end(client)
            if len(self._named) > _NAMES_KEPT:
                self._named.popitem(last=False)
            log.warning("broker.turned_away", client=client, cure="parking broker credentials gives it a password")
