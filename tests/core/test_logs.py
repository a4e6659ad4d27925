"""What a process writes of itself: one event a line, with its name, and nothing that nobody may read."""

import json
import subprocess
import sys

import pytest

FAILING = """
import structlog
from core.logs import configure_logging

def charge(card):
    raise ValueError("too little")

configure_logging("till", json={json})
log = structlog.get_logger()
log.info("seen", what="浙D12345 at the gate")
try:
    charge("a secret of a caller")
except ValueError:
    log.exception("charge.failed")
"""


def written(*, as_json: bool) -> str:
    """The log of a process in which something failed."""
    script = FAILING.replace("{json}", str(as_json))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stderr


@pytest.mark.parametrize("as_json", [False, True], ids=["terminal", "json"])
def test_a_failure_is_told_with_its_place_and_without_what_was_in_hand(as_json: bool) -> None:
    log = written(as_json=as_json)
    assert all(told in log for told in ("till", "charge.failed", "ValueError", "too little"))
    assert "a secret of a caller" not in log
    assert "12345" not in log


def test_in_production_every_event_is_one_line_of_json() -> None:
    seen, failed = map(json.loads, written(as_json=True).splitlines())
    assert (seen["event"], seen["process"], seen["level"]) == ("seen", "till", "info")
    assert failed["exception"][0]["frames"][-1]["name"] == "charge"
