"""What a scenario changes beside sensors and people: its clock, prices from midnight on, a provider that is away."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.published import Imported, publish_next
from core.audit import AuditEntry, write_audit
from core.clock import Clock, RealClock, VirtualClock, milliseconds
from simulator.scenarios import ProviderTrouble, Scenario, notice_of

log = structlog.get_logger()

LOOK_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
NOTHING_WRONG: Final[Mapping[str, Any]] = {"rules": []}


def clock_of(scenario: Scenario, zone: ZoneInfo, *, speed: float | None = None) -> str:
    """``PARKING_CLOCK`` for a run that begins now: on the scenario's day at its time, as fast as it or ``speed`` says.

    Empty for a scenario that says neither: real time.
    """
    now = RealClock()
    begins_ms = milliseconds(scenario.begins_at(now.now(), zone))
    fast = scenario.speed if speed is None else speed
    real_ms = now.now_ms()
    if fast == 1 and scenario.day is None and scenario.begins_minute is None:
        return ""
    return str(VirtualClock(real_start_ms=real_ms, virtual_start_ms=begins_ms, speed=fast))


async def publish_prices(
    db: AsyncConnection, scenario: Scenario, *, begins_at: datetime, zone: ZoneInfo
) -> list[Imported]:
    """Publish the notices that take the place of others at the midnight after the begin; safe to repeat.

    Raises:
        TariffInvalidError: one of them must not be published.
    """
    first_day = scenario.midnight_after(begins_at, zone).date().isoformat()
    published = []
    for change in scenario.prices:
        document = json.loads(notice_of(change)) | {"code": change.code, "valid_from": first_day}
        one = await publish_next(db, json.dumps(document, ensure_ascii=False).encode())
        published.append(one)
        if one.is_new:
            await write_audit(
                db,
                AuditEntry(
                    at=begins_at,
                    actor=f"scenario {scenario.name}",
                    action="tariff.published",
                    subject=f"tariff:{one.tariff.code}",
                    before=None if one.before is None else {"version": one.before},
                    after={"version": one.tariff.version},
                ),
            )
    return published


@contextmanager
def provider_troubled(
    scenario: Scenario, *, gateway_url: str, clock: Clock, begins_at: datetime, zone: ZoneInfo
) -> Iterator[None]:
    """Put the simulated gateway's scripts in force when their time comes, for as long as the block runs.

    A gateway that was killed has forgotten its script and is told again.
    """
    if not scenario.provider:
        yield
        return
    midnight_ms = milliseconds(scenario.midnight_before(begins_at, zone))
    stopping = threading.Event()
    teller = _Teller(scenario.provider, gateway_url, clock, midnight_ms)
    thread = threading.Thread(target=teller.run, args=(stopping,), name="provider", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(ANSWER_SECONDS + LOOK_SECONDS)


class _Teller:
    """Sees to it that the gateway misbehaves as it should at this time."""

    def __init__(self, troubles: Sequence[ProviderTrouble], gateway_url: str, clock: Clock, midnight_ms: int) -> None:
        self._troubles = troubles
        self._clock = clock
        self._midnight_ms = midnight_ms
        self._has_told = False
        self._client = httpx.Client(base_url=gateway_url, timeout=ANSWER_SECONDS, trust_env=False)

    def run(self, stopping: threading.Event) -> None:
        """Look every second; a gateway that does not answer is asked again."""
        with self._client:
            while not stopping.wait(LOOK_SECONDS):
                try:
                    self._look()
                except httpx.HTTPError as error:
                    log.info("provider.not_told", why=repr(error))

    def _look(self) -> None:
        wanted = self._wanted()
        if wanted is NOTHING_WRONG and not self._has_told:
            return  # a script that somebody else gave is theirs
        there = self._client.get("/control/script").raise_for_status().json()["script"]
        if there["rules"] != wanted["rules"]:
            self._client.put("/control/script", json=dict(wanted)).raise_for_status()
            self._has_told = wanted is not NOTHING_WRONG
            log.info("provider.told", rules=len(wanted["rules"]))

    def _wanted(self) -> Mapping[str, Any]:
        past_ms = self._clock.now_ms() - self._midnight_ms
        in_force = (one.script for one in self._troubles if one.from_ms <= past_ms < one.until_ms)
        return next(in_force, NOTHING_WRONG)
