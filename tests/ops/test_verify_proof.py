"""Stored sessions against what the readings prove: equal where they carry the information, never a fen beyond them."""

from pathlib import Path

import pytest

from core.errors import InvalidError
from core.occupancy import Kind
from ops.verify.compare import compare
from ops.verify.report import Readings, Report, Session, Why
from ops.verify.truth import load_truth
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.sent import SentReading, pack
from simulator.truth import Checkpoint, FaultLine, Header, Line, SpaceLine, StayLine, TruthFile

HOUR_MS = 3_600_000
MIDNIGHT_MS = 1_773_100_800_000
SPACE, SENSOR = "A-001", "s-1"
HEADER = Header(
    city="新昌县",
    city_digest="d",
    spaces=1,
    seed=1,
    begins_at="2026-03-10T00:00:00.000Z",
    zone="Asia/Shanghai",
    clock="",
    repeat=0.0,
    late=0.0,
    late_up_to_ms=1,
    lost=0.0,
    walked_tariffs=["xinchang-kerb"],
    readings_told=True,
)

Said = tuple[float, str]
"""An hour, and what was said then as the file has it: ``c1`` is a change to occupied."""


def written(
    path: Path, *said: Said, stay: tuple[int, int | None], until_hour: int = 9, fault: FaultLine | None = None
) -> Path:
    """One space from midnight in London: a stay that costs three yuan for each hour begun, and what was heard of it."""
    kinds = {kind.value[0]: kind for kind in Kind}
    readings = [
        SentReading(MIDNIGHT_MS + int(hour * HOUR_MS), 0, 1, seq, kinds[what[0]], what[1] == "1")
        for seq, (hour, what) in enumerate(said, start=1)
    ]
    fingerprint = Fingerprint()
    for one in readings:
        fingerprint.add(reading_hash(SENSOR, one.at_ms, 1, one.seq, occupied=one.occupied, kind=one.kind.value))
    entered, left = stay
    fee_fen = None if left is None else 300 * (left - entered)
    left_at = None if left is None else at(left)
    with TruthFile(path, HEADER, [SpaceLine(SPACE, SENSOR, "A", "xinchang-kerb")]) as file:
        file.write(Line(stay=StayLine(SPACE, SENSOR, "A", at(entered), left_at, fee_fen)))
        if fault is not None:
            file.write(Line(fault=fault))
        file.write(Line(readings=pack(readings)))
        file.settle(Checkpoint(complete_until=at(until_hour), readings=len(readings), fingerprint=str(fingerprint)))
    return path


def at(hour: int) -> str:
    return f"2026-03-10T{hour:02d}:00:00.000Z"


def stored(entered: float, left: float | None, *, fen: int | None = None, why: str | None = None) -> Session:
    return Session(
        session_id=f"from {entered}",
        space=SPACE,
        status="open" if left is None else "ended",
        entered_ms=MIDNIGHT_MS + int(entered * HOUR_MS),
        left_ms=None if left is None else MIDNIGHT_MS + int(left * HOUR_MS),
        unsure=why is not None,
        unsure_why=why,
        revision=1,
        billed_fen=fen,
        billed_revision=None if fen is None else 1,
    )


def compared(path: Path, *sessions: Session) -> Report:
    truth = load_truth(path)
    return compare(truth, sessions, Readings(count=truth.checkpoint.readings))


def found(report: Report) -> set[tuple[str, bool]]:
    return {(one.why.value, one.is_evident) for one in report.differences}


WHOLE = ((1.0, "c1"), (2.0, "h1"), (3.0, "h1"), (4.0, "c0"))
NO_DEPARTURE = ((1.0, "c1"), (2.0, "h1"), (3.0, "h1"), (5.0, "h0"))


def test_where_readings_carry_it_the_stored_is_the_truth(tmp_path: Path) -> None:
    report = compared(written(tmp_path / "t", *WHOLE, stay=(1, 4)), stored(1, 4, fen=900))
    assert (report.is_equal, report.is_right, report.equal, report.evident) == (True, True, 1, 0)
    assert report.certainty == {"certain": 1}


def test_where_they_do_not_the_stored_is_the_evidence(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *NO_DEPARTURE, stay=(1, 4))
    report = compared(path, stored(1, 3, fen=600, why="departure-not-reported"))
    assert found(report) == {("unsure", True), ("end differs", True), ("fee differs", True)}
    assert (report.is_equal, report.is_right, report.equal, report.evident) == (False, True, 0, 1)
    assert (report.fees.right, report.fees.under, report.fees.over) == (0, 1, 0)
    assert report.certainty == {"departure-not-reported": 1}


def test_what_is_true_and_not_proved_is_charged_beyond_the_evidence(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *NO_DEPARTURE, stay=(1, 4))
    report = compared(path, stored(1, 4, fen=900, why="departure-not-reported"))
    assert {Why.UNPROVED, Why.BEYOND} <= set(report.counts())
    assert not report.is_right
    (beyond,) = (one for one in report.differences if one.why is Why.BEYOND)
    assert beyond.apart_fen == 300
    assert beyond.detail == (
        "billed 900 fen, the readings prove a stay from 2026-03-10T01:00:00.000Z to 2026-03-10T03:00:00.000Z "
        "for 600 fen"
    )


def test_a_bill_above_and_one_below_the_proved_stay_are_wrong(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *NO_DEPARTURE, stay=(1, 4))
    for fen, why in ((900, Why.BEYOND), (300, Why.SHORT)):
        report = compared(path, stored(1, 3, fen=fen, why="departure-not-reported"))
        assert why in report.counts()
        assert not report.is_right


def test_doubt_is_compared_too(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *NO_DEPARTURE, stay=(1, 4))
    assert Why.UNPROVED in compared(path, stored(1, 3, fen=600)).counts()
    assert Why.UNPROVED in compared(path, stored(1, 3, fen=600, why="silent-inside")).counts()


def test_a_session_from_nowhere_and_a_missing_one_are_wrong(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *WHOLE, stay=(1, 4))
    report = compared(path, stored(1, 4, fen=900), stored(5, 6, fen=300))
    assert set(report.counts()) == {Why.EXTRA, Why.UNPROVED, Why.BEYOND}
    assert not report.is_right
    report = compared(path)
    assert set(report.counts()) == {Why.MISSING, Why.UNPROVED}
    assert not report.is_right


def test_a_stay_that_nobody_heard_of_has_no_session(tmp_path: Path) -> None:
    report = compared(written(tmp_path / "t", (0.5, "b0"), (5.0, "h0"), stay=(1, 4)))
    assert found(report) == {("missing", True)}
    assert report.is_right


@pytest.mark.parametrize(("left", "fen"), [(None, None), (3.0, 600), (12.0, 3300)])
def test_the_newest_stay_may_have_ended_since_by_readings_not_told_yet(
    tmp_path: Path, left: float | None, fen: int | None
) -> None:
    path = written(tmp_path / "t", (1.0, "c1"), (3.0, "h1"), stay=(1, None), until_hour=4)
    assert compared(path, stored(1, left, fen=fen)).is_right
    assert not compared(path, stored(1, left or 3, fen=301)).is_right
    assert not compared(path, stored(1, 2, fen=300)).is_right


def test_an_arrival_alone_may_prove_to_be_none_only_where_a_fault_touched_it(tmp_path: Path) -> None:
    path = written(tmp_path / "t", (1.0, "c1"), stay=(1, None), until_hour=2)
    assert not compared(path).is_right
    path.unlink()
    fault = FaultLine("lost", at(3), SPACE, SENSOR, "A", at(1))
    assert compared(written(path, (1.0, "c1"), stay=(1, None), until_hour=2, fault=fault)).is_right


def test_a_truth_whose_readings_were_changed_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *WHOLE, stay=(1, 4))
    whole = path.read_text()
    path.write_text(whole.replace('"h1"', '"h0"', 1))
    with pytest.raises(InvalidError, match="is damaged: the readings in it are not those"):
        load_truth(path)
    path.write_text(whole.replace('"h1"', '"x1"', 1))
    with pytest.raises(InvalidError, match="line 4 is damaged: 'x1' is no kind of reading"):
        load_truth(path)
    path.write_text(
        whole.replace(
            '{"space":"A-001","sensor_id":"s-1","lot":"A","entered_at',
            '{"space":"B","sensor_id":"s-1","lot":"A","entered_at',
        )
    )
    with pytest.raises(InvalidError, match="line 3 is damaged"):
        load_truth(path)
    path.write_text(whole + '{"stay": {"spa')
    assert load_truth(path).checkpoint.readings == 4


def test_what_no_checkpoint_settles_proves_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *WHOLE, stay=(1, 4))
    later = SentReading(MIDNIGHT_MS + 10 * HOUR_MS, 0, 1, 9, Kind.CHANGE, occupied=True)
    with TruthFile(path, HEADER, []) as file:
        file.write(Line(readings=pack([later])))
    assert compared(path, stored(1, 4, fen=900)).is_equal
