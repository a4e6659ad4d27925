"""Drivers at work: look at the street every few seconds, and pay one after the other, at a modest pace."""

import threading
import time
from collections.abc import Mapping
from typing import Final

import httpx
import structlog

from core.clock import Clock
from simulator.drivers.habits import Driver
from simulator.drivers.phone import ANSWER_SECONDS, Code, NotNowError, Phone
from simulator.drivers.streets import Streets

log = structlog.get_logger()

LOOK_SECONDS: Final = 3.0
PACE_SECONDS: Final = 0.5
"""From one driver to the next at least, in real time, whatever the city's clock."""
RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 15.0)


class Drivers:
    """All who pay in a city."""

    def __init__(self, api_url: str, codes: Mapping[str, str], *, clock: Clock, seed: int) -> None:
        self._api_url = api_url
        self._codes = codes
        self._clock = clock
        self._streets = Streets(seed=seed)
        self._eyes = httpx.Client(base_url=api_url, timeout=ANSWER_SECONDS, trust_env=False)
        self._spaces: list[str] = []
        self._etag = ""
        self._failures = 0
        self.paid = 0
        """Payments whose page said so."""
        self.nothing_due = 0

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop; trouble is told once and tried again."""
        next_look = 0.0
        pause = 0.0
        while not stopping.wait(pause):
            try:
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + LOOK_SECONDS
                    self._look()
                pause = self._turn()
            except (NotNowError, httpx.HTTPError) as error:
                pause = self._failed(error)
            else:
                self._heard()
        self._eyes.close()

    def _turn(self) -> float:
        """Let one driver pay whose time has come; how long to wait then."""
        due = self._streets.next_due(self._clock.now_ms())
        if due is None:
            return PACE_SECONDS
        began = time.monotonic()
        self._visit(*due)
        return max(0.0, PACE_SECONDS - (time.monotonic() - began))

    def _look(self) -> None:
        answer = self._eyes.get("/api/v1/spaces/state").raise_for_status().json()
        if answer["spaces_etag"] != self._etag:
            features = self._eyes.get("/api/v1/spaces").raise_for_status().json()["features"]
            self._spaces = [feature["properties"]["code"] for feature in features]
            self._etag = answer["spaces_etag"]
        if len(self._spaces) == len(answer["states"]):
            self._streets.look(self._spaces, answer["states"], self._clock.now_ms())

    def _visit(self, space: str, driver: Driver) -> None:
        token = self._codes.get(space)
        if token is None:
            return
        phones = [Phone(self._api_url, number) for number in driver.phones]
        try:
            session = phones[0].session(Code(space=space, token=token))
            if session is None or session["due_fen"] <= 0:
                self.nothing_due += 1
                return
            attempts = [
                phone.begin(session["id"], channel) for phone, channel in zip(phones, driver.channels, strict=True)
            ]
            # two phones: both hold a code before either has paid
            for phone, attempt in zip(phones, attempts, strict=True):
                if attempt is not None and phone.pay(attempt):
                    self.paid += 1
        finally:
            for phone in phones:
                phone.close()

    def _heard(self) -> None:
        if self._failures:
            log.info("drivers.heard_again", failures=self._failures)
            self._failures = 0

    def _failed(self, error: Exception) -> float:
        if not self._failures:
            log.warning("drivers.not_heard", why=repr(error), retried="until it works")
        self._failures += 1
        wait = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]
        return max(wait, error.wait_seconds) if isinstance(error, NotNowError) else wait
