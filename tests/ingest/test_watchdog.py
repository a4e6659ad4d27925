"""When the watchdog acts, and on what; the broker's figures that it and the alarms go by."""

import subprocess
import sys
from dataclasses import replace

import pytest
import structlog
from structlog.testing import capture_logs

from ingest import metrics
from ingest.broker import BrokerFigures
from ingest.watchdog import (
    ACKNOWLEDGED_WITHIN_SECONDS,
    DELIVERED_WITHIN_SECONDS,
    EXIT_STALLED,
    GREETED_WITHIN_SECONDS,
    WRITTEN_WITHIN_SECONDS,
    Facts,
    Trouble,
    diagnose,
)
from tests.support.waiting import PATIENCE_SECONDS

QUIET = Facts(
    connection_age=10_000,
    is_subscribed=True,
    idle_age=10_000,
    silent_age=10_000,
    unacknowledged=0,
    held_by_broker=0,
    attempt_age=None,
)


@pytest.mark.parametrize(
    ("facts", "trouble"),
    [
        (QUIET, None),
        (replace(QUIET, held_by_broker=None), None),
        (replace(QUIET, connection_age=None, is_subscribed=False), None),
        (replace(QUIET, connection_age=GREETED_WITHIN_SECONDS - 1, is_subscribed=False), None),
        (replace(QUIET, connection_age=GREETED_WITHIN_SECONDS + 1, is_subscribed=False), Trouble.NOT_GREETED),
        (replace(QUIET, unacknowledged=1, idle_age=ACKNOWLEDGED_WITHIN_SECONDS - 1), None),
        (replace(QUIET, unacknowledged=1, idle_age=ACKNOWLEDGED_WITHIN_SECONDS + 1), Trouble.NOT_ACKNOWLEDGED),
        (replace(QUIET, unacknowledged=16, silent_age=0.1), None),
        (replace(QUIET, unacknowledged=20_000, idle_age=None, attempt_age=5), None),
        (replace(QUIET, held_by_broker=7), Trouble.NOT_DELIVERED),
        (replace(QUIET, held_by_broker=7, silent_age=DELIVERED_WITHIN_SECONDS - 1), None),
        (replace(QUIET, held_by_broker=7, idle_age=None, attempt_age=5), None),
        (replace(QUIET, idle_age=None, attempt_age=WRITTEN_WITHIN_SECONDS + 1), Trouble.NOT_WRITTEN),
        (replace(QUIET, connection_age=None, idle_age=None, attempt_age=1_000), Trouble.NOT_WRITTEN),
    ],
)
def test_no_progress_is_told_from_nothing_to_do(facts: Facts, trouble: Trouble | None) -> None:
    assert diagnose(facts) is trouble


def test_what_a_new_connection_did_not_bring_is_not_asked_for_again() -> None:
    assert diagnose(replace(QUIET, held_by_broker=7), in_vain=7) is None
    assert diagnose(replace(QUIET, held_by_broker=8), in_vain=7) is Trouble.NOT_DELIVERED


def test_a_loop_that_does_not_come_back_ends_the_process() -> None:
    stalled = (
        "import asyncio, time\n"
        "from ingest.watchdog import LoopGuard\n"
        "async def main():\n"
        "    guard = LoopGuard(within_seconds=3)\n"
        "    guard.start()\n"
        "    for _ in range(10):\n"
        "        guard.beat()\n"
        "        await asyncio.sleep(0.05)\n"
        "    print('lived', flush=True)\n"
        "    time.sleep(30)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", stalled], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ended.returncode == EXIT_STALLED
    assert ended.stdout.startswith("lived\n")
    assert "time.sleep" in ended.stderr or "line 10 in main" in ended.stderr


class Told:
    """A broker's rounds of figures as mosquitto tells them."""

    def __init__(self) -> None:
        self.figures = BrokerFigures()

    def round(self, *, accounted: int = 0, in_hand: int = 0, is_old: bool = False, **numbers: int) -> list[str]:
        """One round; the events that it was worth."""
        names = {"received": "publish/messages/received", "dropped": "publish/messages/dropped",
                 "stored": "store/messages/count", "retained": "retained messages/count"}  # fmt: skip
        with capture_logs() as logs:
            for name, number in [*((names[name], number) for name, number in numbers.items()),
                                 ("publish/messages/sent", 0)]:  # fmt: skip
                self.figures.take(
                    f"$SYS/broker/{name}",
                    str(number).encode(),
                    is_old=is_old,
                    accounted=accounted,
                    in_hand=in_hand,
                )
        return [entry["event"] for entry in logs]


@pytest.fixture(autouse=True)
def plain_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.broker.log", structlog.get_logger())


def test_what_the_broker_took_and_passed_on_to_nobody_is_counted() -> None:
    told = Told()
    before = metrics.broker_denied._value.get()  # noqa: SLF001 - the library has no other way to read a counter
    assert told.round(is_old=True, received=900, dropped=0, stored=50, retained=50) == []
    assert told.round(received=1_000, accounted=0) == []
    assert told.round(received=1_300, accounted=300) == []
    assert told.round(received=1_310, accounted=305, in_hand=5) == []
    assert told.round(accounted=307) == ["broker.denied_publishing"]
    assert metrics.broker_denied._value.get() - before == 3  # noqa: SLF001 - as above
    assert told.round(accounted=307) == []


def test_a_queue_that_waits_is_not_taken_for_denials_and_a_restart_begins_anew() -> None:
    told = Told()
    told.round(received=10, dropped=0, stored=50, retained=50)
    assert told.round(received=500, stored=540) == []
    assert told.figures.waiting == 490
    assert told.round(received=510, stored=50, accounted=500) == []
    assert told.round(received=3, stored=50, retained=50, accounted=503) == []
    assert told.round(received=4, accounted=504) == []


def test_what_lies_in_the_store_for_nobody_hides_no_denials() -> None:
    """After a restart mosquitto counts figures of its own that it had saved and gives to nobody."""
    told = Told()
    told.round(received=10, dropped=0, stored=97, retained=53)
    assert told.round(received=10, accounted=10) == []  # nothing came, and 44 still lie there
    assert told.round(received=20, accounted=20) == []
    assert told.round(received=30, stored=102, accounted=25) == []  # five more are on their way
    assert told.round(received=33, stored=97, accounted=30) == ["broker.denied_publishing"]
    assert told.round(received=33, stored=95, accounted=30) == []


def test_messages_the_broker_drops_are_an_alarm_each_time_they_rise() -> None:
    told = Told()
    assert told.round(dropped=7) == []
    assert told.round(dropped=9) == ["broker.dropped_messages"]
    assert told.round(dropped=9) == []


def test_one_that_is_turned_away_again_and_again_is_named_once_and_counted_each_time() -> None:
    figures, line = BrokerFigures(), b"2026-11-22T22:16:24: Client stranger disconnected, not authorised."
    before = metrics.broker_turned_away._value.get()  # noqa: SLF001 - as above
    with capture_logs() as logs:
        for _ in range(5):
            figures.take("$SYS/broker/log/N", line, is_old=False, accounted=0, in_hand=0)
    assert [(entry["event"], entry["client"]) for entry in logs] == [("broker.turned_away", "stranger")]
    assert metrics.broker_turned_away._value.get() - before == 5  # noqa: SLF001 - as above
