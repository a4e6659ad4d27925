"""The counters' way to us: one count a minute of each lot over HTTP, beside the sensors and never in their way."""

import heapq
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import httpx
import structlog

from core.clock import Clock, instant, rfc3339
from simulator.counters import Counters

log = structlog.get_logger()

EVERY_MS: Final = 60_000
"""How often a lot is counted, on the run's clock."""
PACE_SECONDS: Final = 0.125
"""Between two counts at least, in real time: on a fast clock, or with many lots, each is counted less often."""
ANSWER_SECONDS: Final = 5.0
RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 15.0)
NOBODY_GETS_THROUGH: Final = frozenset({401, 403, 429})


class CountSender:
    """A thread that says what the counters believe for as long as the block runs; trouble is told once and retried."""

    def __init__(self, lots: Sequence[str], counters: Counters, *, clock: Clock, api_url: str, key: str) -> None:
        """Count these lots, each for the first time at once and then once a minute."""
        self._counters = counters
        self._clock = clock
        self._due = [(clock.now_ms(), lot) for lot in lots]
        heapq.heapify(self._due)
        self._client = httpx.Client(
            base_url=api_url, headers={"Authorization": f"Bearer {key}"}, timeout=ANSWER_SECONDS, trust_env=False
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counters", daemon=True)
        self._refused: dict[str, int] = {}
        self.failures = 0
        """Attempts in a row at which nobody listened."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._client.close()

    def stop(self) -> None:
        """Say nothing more; waits for the answer to what was just said."""
        self._stopping.set()
        self._thread.join(ANSWER_SECONDS + 1)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = self._turn()

    def _turn(self) -> float:
        """Count the lot that has waited longest, if its time has come; how many seconds to wait then."""
        now_ms = self._clock.now_ms()
        due_ms, lot = self._due[0]
        if due_ms > now_ms:
            return max(PACE_SECONDS, (due_ms - now_ms) / 1_000 / self._clock.speed)
        self._counters.advance(now_ms)
        began = time.monotonic()
        wait = self._say(lot, {"occupied": self._counters.counted(lot), "at": rfc3339(instant(now_ms))})
        if wait:
            return wait
        heapq.heapreplace(self._due, (now_ms + EVERY_MS, lot))
        return max(0.0, PACE_SECONDS - (time.monotonic() - began))

    def _say(self, lot: str, count: Mapping[str, object]) -> float:
        """Post one count; 0, or how many seconds to wait before any is posted again."""
        try:
            answer = self._client.post(f"/api/v1/lots/{lot}/count", json=count)
        except httpx.HTTPError as error:
            return self._failed(repr(error))
        if answer.is_server_error or answer.status_code in NOBODY_GETS_THROUGH:
            return max(self._failed(f"{answer.status_code} {answer.text}"), _retry_after(answer))
        if self.failures:
            log.info("counters.heard_again", failures=self.failures)
            self.failures = 0
        if answer.is_success:
            self._refused.pop(lot, None)
        elif self._refused.get(lot) != answer.status_code:
            self._refused[lot] = answer.status_code
            log.warning("count.refused", lot_id=lot, status=answer.status_code, answer=answer.text)
        return 0.0

    def _failed(self, why: str) -> float:
        if not self.failures:
            log.warning("counters.not_heard", why=why, retried="until it works; the sensors go on")
        self.failures += 1
        return RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS)) - 1]


def _retry_after(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdigit() else 0.0
