"""The table of faults in the documents: each row names files with tests of its number, and none is left out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
ROW = re.compile(r"^\| F(\d\d) \|.*\| ([^|]+) \|$", re.MULTILINE)


def rows() -> Iterator[tuple[str, list[Path]]]:
    """The number of each fault and the files that are named beside it."""
    for number, names in ROW.findall((ROOT / "docs" / "payments.md").read_text(encoding="utf-8")):
        yield number, [_file(name) for name in re.findall(r"`([\w/.]+)`", names)]


def _file(name: str) -> Path:
    return ROOT / name if "/" in name else TESTS / "payments" / f"test_{name}.py"


def borne() -> set[str]:
    """The numbers that tests anywhere bear."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for name in re.findall(r"def test_((?:f\d\d_)+)", path.read_text(encoding="utf-8")):
            found |= set(re.findall(r"f(\d\d)_", name))
    return found


@pytest.mark.parametrize(("number", "files"), list(rows()))
def test_each_row_names_its_tests(number: str, files: list[Path]) -> None:
    assert files
    for path in files:
        assert re.search(rf"def test_(f\d\d_)*f{number}_", path.read_text(encoding="utf-8")), path.name


def test_no_fault_that_is_tested_is_left_out() -> None:
    assert borne() - {number for number, _ in rows()} == set()
