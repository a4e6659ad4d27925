"""Drivers at work: look at the street every few seconds, and pay one after the other, at a modest pace."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from zoneinfo import ZoneInfo

import httpx
import structlog

from core.clock import Clock
from simulator.drivers.habits import SHARES, Habit
from simulator.drivers.kiosk import Kiosk
from simulator.drivers.phone import ANSWER_SECONDS, NotNowError
from simulator.drivers.seeking import Seekers
from simulator.drivers.settling import Settling
from simulator.drivers.streets import Streets
from simulator.drivers.told import Told
from simulator.drivers.wardens import Warden

log = structlog.get_logger()

LOOK_SECONDS: Final = 3.0
PACE_SECONDS: Final = 0.1
"""From one driver to the next at least, in real time, whatever the city's clock."""
STEP_SECONDS: Final = 0.05
OTHERS_WAIT_SECONDS: Final = 10.0
RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 15.0)


class Drivers:
    """All who pay in a city."""

    def __init__(
        self,
        api_url: str,
        codes: Mapping[str, str],
        *,
        clock: Clock,
        seed: int,
        told: Told,
        zone: ZoneInfo,
        shares: Mapping[Habit, float] = SHARES,
        kiosk: Kiosk | None = None,
        warden: Warden | None = None,
        seekers: Seekers | None = None,
    ) -> None:
        self._seekers = seekers
        self._known_guests: set[str] = set()
        self._warden = warden
        self._clock = clock
        self._streets = Streets(seed=seed, shares=shares)
        self.settling = Settling(api_url, codes, clock=clock, told=told, seed=seed, zone=zone, kiosk=kiosk)
        self._eyes = httpx.Client(base_url=api_url, timeout=ANSWER_SECONDS, trust_env=False)
        self._spaces: list[str] = []
        self._etag = ""
        self._failures = 0
        self._others_wait_until = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop; trouble is told once and tried again."""
        walking = None
        if self._warden is not None:
            walking = threading.Thread(target=self._walk, args=(self._warden, stopping), name="wardens", daemon=True)
            walking.start()
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
        if walking is not None:
            walking.join()
        self._eyes.close()

    def figures(self) -> dict[str, int]:
        """What came of it all."""
        done = self.settling
        found = {
            "paid": done.paid,
            "nothing_due": done.nothing_due,
            "plates_said": done.plates_said,
            "slips": done.slips,
        }
        if self._warden is not None:
            found |= {"photographed": self._warden.photographed, "missed": self._warden.missed}
        if self._seekers is not None:
            seekers = self._seekers
            found |= {"parked_by_map": seekers.parked, "left_by_map": seekers.left, "found_no_space": seekers.gave_up}
        return found

    def _turn(self) -> float:
        """Let one driver pay whose time has come, and others go on; how long to wait then."""
        self._let_others()
        due = self._streets.next_due(self._clock.now_ms())
        if due is None:
            return PACE_SECONDS
        began = time.monotonic()
        self.settling.settle(*due)
        return max(0.0, PACE_SECONDS - (time.monotonic() - began))

    def _let_others(self) -> None:
        """People who look for a space; their trouble keeps nobody from paying."""
        if time.monotonic() < self._others_wait_until:
            return
        try:
            if self._seekers is not None:
                self._seekers.turn(self._clock.now_ms(), self._streets.states)
        except NotNowError as error:
            log.info("others.not_heard", why=repr(error), retried_after_seconds=OTHERS_WAIT_SECONDS)
            self._others_wait_until = time.monotonic() + OTHERS_WAIT_SECONDS

    def _walk(self, warden: Warden, stopping: threading.Event) -> None:
        """Wardens go their own way, however many are about to pay."""
        while not stopping.wait(STEP_SECONDS):
            try:
                warden.turn(self._clock.now_ms(), self._streets.driver_on)
            except NotNowError as error:
                log.info("wardens.not_heard", why=repr(error), retried_after_seconds=OTHERS_WAIT_SECONDS)
                stopping.wait(OTHERS_WAIT_SECONDS)

    def _look(self) -> None:
        answer = self._eyes.get("/api/v1/spaces/state").raise_for_status().json()
        if answer["spaces_etag"] != self._etag:
            features = self._eyes.get("/api/v1/spaces").raise_for_status().json()["features"]
            self._spaces = [feature["properties"]["code"] for feature in features]
            if self._seekers is not None:
                self._seekers.learn(features)
            self._etag = answer["spaces_etag"]
        if len(self._spaces) == len(answer["states"]):
            now_ms = self._clock.now_ms()
            came = self._streets.look(self._spaces, answer["states"], now_ms, self._guests())
            if self._seekers is not None:
                self._seekers.see(came, now_ms)

    def _guests(self) -> set[str]:
        """Where somebody stands who is none of us; as it was, while nobody can be asked."""
        with suppress(NotNowError):
            if self._seekers is not None:
                self._known_guests = self._seekers.guests()
        return self._known_guests

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
