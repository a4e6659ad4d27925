"""How right the stored is by fault: a fault explains the stays that it touched, and nothing else."""

from pathlib import Path

import pytest

from ops.verify.accuracy import NONE
from ops.verify.compare import compare
from ops.verify.report import Readings, Report, Session
from ops.verify.truth import load_truth
from simulator.truth import Checkpoint, FaultLine, Header, Line, SpaceLine, StayLine, TruthFile

SPACES = ("A-001", "A-002", "A-003")
AT = "2026-03-10T0{hour}:00:00.000Z".format
HOUR_MS = 3_600_000
MIDNIGHT_MS = 1_773_100_800_000
HEADER = Header(
    city="新昌县",
    city_digest="d",
    spaces=3,
    seed=1,
    begins_at=AT(hour=0),
    zone="Asia/Shanghai",
    clock="",
    repeat=0.0,
    late=0.0,
    late_up_to_ms=1,
    lost=0.0,
    walked_tariffs=["xinchang-kerb"],
)


def session(space: str, entered_hour: int, left_hour: int, *, fen: int = 300) -> Session:
    return Session(
        session_id=f"{space} {entered_hour}",
        space=space,
        status="ended",
        entered_ms=MIDNIGHT_MS + entered_hour * HOUR_MS,
        left_ms=MIDNIGHT_MS + left_hour * HOUR_MS,
        unsure=False,
        unsure_why=None,
        revision=1,
        billed_fen=fen,
        billed_revision=1,
    )


@pytest.fixture
def truth_file(tmp_path: Path) -> Path:
    """Three spaces, a stay of an hour in each; a fault or two touched the first two."""
    path = tmp_path / "truth.jsonl"
    spaces = [SpaceLine(space, f"s-{space}", "A", "xinchang-kerb") for space in SPACES]
    with TruthFile(path, HEADER, spaces) as file:
        for space in SPACES:
            file.write(Line(stay=StayLine(space, f"s-{space}", "A", AT(hour=1), AT(hour=2), 300)))
        for space, fault in (("A-001", "lost"), ("A-001", "stuck"), ("A-002", "late")):
            file.write(Line(fault=FaultLine(fault, AT(hour=2), space, f"s-{space}", "A", AT(hour=1))))
        file.write(Line(fault=FaultLine("strangers", AT(hour=1), what="garbage")))
        file.settle(Checkpoint(complete_until=AT(hour=5), readings=6, fingerprint="f"))
    return path


def compared(path: Path, *sessions: Session) -> Report:
    return compare(load_truth(path), sessions, Readings(count=6))


def test_stays_are_counted_under_each_fault_that_touched_them(truth_file: Path) -> None:
    report = compared(truth_file, session("A-001", 1, 3, fen=600), session("A-002", 1, 2), session("A-003", 1, 2))
    told = {one.fault: (one.stays, one.equal, one.true_fen, one.billed_fen) for one in report.by_fault}
    assert told == {
        "late": (1, 1, 300, 300),
        "lost": (1, 0, 300, 600),
        "stuck": (1, 0, 300, 600),
        NONE: (1, 1, 300, 300),
    }
    assert report.by_fault[-1].fault == NONE
    assert (report.is_equal, report.is_explained) == (False, True)


def test_what_differs_untouched_is_explained_by_nothing(truth_file: Path) -> None:
    report = compared(truth_file, session("A-001", 1, 2), session("A-002", 1, 2), session("A-003", 1, 3))
    assert (report.unexplained, report.is_explained) == (1, False)


def test_a_session_like_no_stay_is_explained_where_faults_were_and_nowhere_else(truth_file: Path) -> None:
    equal = [session(space, 1, 2) for space in SPACES]
    assert compared(truth_file, *equal, session("A-001", 3, 4)).is_explained
    assert not compared(truth_file, *equal, session("A-003", 3, 4)).is_explained


def test_missing_readings_are_never_explained(truth_file: Path) -> None:
    equal = [session(space, 1, 2) for space in SPACES]
    assert not compare(load_truth(truth_file), equal, Readings(count=5)).is_explained


def test_without_faults_there_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, HEADER, [SpaceLine("A-001", "s", "A", "xinchang-kerb")]) as file:
        file.write(Line(stay=StayLine("A-001", "s", "A", AT(hour=1), AT(hour=2), 300)))
        file.settle(Checkpoint(complete_until=AT(hour=5)))
    report = compare(load_truth(path), [session("A-001", 1, 2)], Readings(count=0))
    assert (report.by_fault, report.is_equal, report.is_explained) == ((), True, True)
