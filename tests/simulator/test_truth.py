"""The truth file: whole to its last checkpoint whatever happens to its writer."""

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from core.errors import ConflictError, InvalidError
from simulator.truth import Checkpoint, Header, Line, SpaceLine, StayLine, TruthFile, read_lines

HEADER = Header(
    city="新昌县",
    city_digest="d",
    spaces=1,
    seed=1,
    begins_at="2026-03-10T00:00:00.000Z",
    zone="Asia/Shanghai",
    clock="",
    repeat=0.01,
    late=0.005,
    late_up_to_ms=90_000,
    lost=0.0,
    walked_tariffs=["xinchang-kerb"],
)
SPACES = [SpaceLine("A-001", "s-1", "A", "xinchang-kerb")]


def stay(minute: int, left: int | None = None) -> Line:
    left_at = None if left is None else f"2026-03-10T00:{left:02d}:00.000Z"
    fee_fen = None if left is None else 300
    return Line(stay=StayLine("A-001", "s-1", "A", f"2026-03-10T00:{minute:02d}:00.000Z", left_at, fee_fen))


def settled(minute: int, *, readings: int = 0) -> Checkpoint:
    return Checkpoint(complete_until=f"2026-03-10T00:{minute:02d}:00.000Z", readings=readings)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "truth.jsonl"
    with TruthFile(path, HEADER, SPACES) as file:
        file.write(stay(1))
        file.write(stay(1, 7))
        file.settle(settled(8, readings=3))
    lines = list(read_lines(path))
    assert lines == [
        Line(truth=HEADER),
        Line(space=SPACES[0]),
        stay(1),
        stay(1, 7),
        Line(checkpoint=settled(8, readings=3)),
    ]


def test_every_line_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, HEADER, SPACES) as file:
        file.write(stay(1, 7))
        file.settle(settled(8))
    kinds = [next(iter(msgspec.json.decode(line))) for line in path.read_bytes().splitlines()]
    assert kinds == ["truth", "space", "stay", "checkpoint"]
    assert msgspec.json.decode(path.read_bytes().splitlines()[2]) == {
        "stay": {
            "space": "A-001",
            "sensor_id": "s-1",
            "lot": "A",
            "entered_at": "2026-03-10T00:01:00.000Z",
            "left_at": "2026-03-10T00:07:00.000Z",
            "fee_fen": 300,
        }
    }


def test_a_torn_line_is_left_out_and_writing_goes_on_after_the_last_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, HEADER, SPACES) as file:
        file.settle(settled(8, readings=3))
        file.write(stay(9))
    with path.open("ab") as file_behind:
        file_behind.write(b'{"stay": {"space": "A-0')
    assert list(read_lines(path))[-1] == stay(9)
    with TruthFile(path, HEADER, SPACES) as file:
        assert file.checkpoint == settled(8, readings=3)
        file.write(stay(10))
        file.settle(settled(11, readings=4))
    assert list(read_lines(path))[2:] == [
        Line(checkpoint=settled(8, readings=3)),
        stay(10),
        Line(checkpoint=settled(11, readings=4)),
    ]


def test_a_file_without_a_checkpoint_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, HEADER, SPACES) as file:
        file.write(stay(9))
    later = msgspec.structs.replace(HEADER, begins_at="2026-03-10T05:00:00.000Z")
    with TruthFile(path, later, SPACES) as file:
        assert file.checkpoint is None
    assert list(read_lines(path)) == [Line(truth=later), Line(space=SPACES[0])]


@pytest.mark.parametrize(
    ("change", "what"),
    [({"seed": 2}, "seed"), ({"city_digest": "e"}, "city"), ({"late": 0.5}, "late"), ({"zone": "UTC"}, "zone")],
)
def test_another_truth_is_not_written_over(tmp_path: Path, change: dict[str, object], what: str) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, HEADER, SPACES) as file:
        file.settle(settled(8))
    before = path.read_bytes()
    with pytest.raises(InvalidError, match=what):
        TruthFile(path, msgspec.structs.replace(HEADER, **change), SPACES)
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "holiday.txt"
    path.write_text("three weeks in July\n")
    with pytest.raises(InvalidError, match="line 1"):
        TruthFile(path, HEADER, SPACES)
    assert path.read_text() == "three weeks in July\n"


def test_two_simulators_do_not_write_one_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthFile(path, HEADER, SPACES), pytest.raises(ConflictError, match="another simulator"):
        TruthFile(path, HEADER, SPACES)


def test_a_killed_writer_leaves_a_truth_that_is_right_to_its_last_checkpoint(tmp_path: Path) -> None:
    """The writer counts stays up and says in each checkpoint how many there are; it is killed while it writes."""
    path = tmp_path / "truth.jsonl"
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.simulator.test_truth import *\n"
        f"file = TruthFile(Path({str(path)!r}), HEADER, SPACES)\n"
        "for number in range(10**9):\n"
        "    file.write(stay(number % 60, 59))\n"
        "    if number % 37 == 36: file.settle(settled(59, readings=number + 1))\n"
        "    if number == 5000: print('writing', flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    stays = checkpoints = 0
    for line in read_lines(path):
        stays += line.stay is not None
        if line.checkpoint is not None:
            checkpoints += 1
            assert line.checkpoint.readings == stays
    assert checkpoints > 100
