"""The one entry on a fresh machine, run on a small copy of the project: its own lock file of one package."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_SECONDS

PROJECT = Path(__file__).parents[2]

COMMAND_LINE = """
import os, sys
import annotated_doc, core.errors
print("ran", *sys.argv[1:])
"""
"""Stands where the command line is: it needs the one package and ours, and says that it was reached."""


def locked(name: str) -> str:
    """One package of the real lock file, with its hashes."""
    found = re.search(
        rf"^{name}==.*?(?=^\S)", (PROJECT / "requirements-dev.lock").read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose environment has been made once."""
    clone = small_clone(tmp_path_factory.mktemp("made") / "clone")
    done = run(clone, "first")
    assert (done.returncode, done.stdout) == (0, "ran first\n"), done.stderr
    return clone


def small_clone(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for package in ("core", "ops"):
        shutil.copytree(PROJECT / package, folder / package, ignore=ignored)
    shutil.copy(PROJECT / "parking", folder)
    (folder / "ops/cli.py").write_text(COMMAND_LINE)
    (folder / "requirements.lock").write_text(locked("annotated-doc"))
    (folder / "requirements-dev.lock").write_text(locked("annotated-doc") + locked("iniconfig"))
    return folder


def command(clone: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(clone / "parking"), *arguments]


def run(clone: Path, *arguments: str, cwd: Path = Path("/"), **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PARKING_VENV"}}
    return subprocess.run(
        command(clone, *arguments), capture_output=True, text=True, check=False, cwd=cwd, env=plain | environ
    )


def test_any_python_3_can_read_it_far_enough_to_be_told() -> None:
    ast.parse((PROJECT / "parking").read_text(), feature_version=(3, 4))


def test_a_made_environment_is_used_silently(made: Path) -> None:
    done = run(made, "again", "--flag", "with blank")
    assert done.stdout == "ran again --flag with blank\n"
    assert done.stderr == ""


def test_it_works_through_a_link_and_from_a_folder_full_of_traps(made: Path, tmp_path: Path) -> None:
    (tmp_path / "parking").symlink_to(made / "parking")
    for trap in ("ops", "core", "json"):
        (tmp_path / trap).mkdir()
        (tmp_path / trap / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    done = subprocess.run([tmp_path / "parking", "x"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "ran x\n", done.stderr


def test_checks_get_the_development_packages_and_other_commands_then_keep_them(made: Path) -> None:
    done = run(made, "test")
    assert "requirements-dev.lock" in done.stderr
    assert list(made.glob(".venv/lib/*/site-packages/iniconfig"))
    assert run(made, "up").stderr == ""


def test_a_changed_lock_file_is_noticed(made: Path) -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (made / lock).write_text((made / lock).read_text() + "# changed\n")
    assert "making the virtual environment" in run(made, "x").stderr
    assert run(made, "x").stderr == ""


def test_a_moved_clone_finds_its_packages_again(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "moved", symlinks=True)
    done = run(tmp_path / "moved", "x")
    assert done.stdout == "ran x\n"
    paths = next((tmp_path / "moved").glob(".venv/lib/*/site-packages/parking.pth")).read_text()
    assert paths.strip() == str(tmp_path / "moved")


def test_one_that_was_killed_half_way_is_made_anew(tmp_path: Path) -> None:
    clone = small_clone(tmp_path / "clone")
    started = subprocess.Popen(command(clone, "x"), stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (clone / ".venv/pyvenv.cfg").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    assert run(clone, "x").stdout == "ran x\n"


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    clone = small_clone(tmp_path / "clone")
    both = [
        subprocess.Popen(command(clone, "x"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "12"
    ]
    told = [each.communicate() for each in both]
    assert [said for said, _ in told] == ["ran x\n", "ran x\n"]
    assert sorted("waiting for another start" in progress for _, progress in told) == [False, True]
    assert sum("making the virtual environment" in progress for _, progress in told) == 1


def test_an_unreachable_package_is_told_with_the_cure_and_the_next_try_works(tmp_path: Path) -> None:
    clone = small_clone(tmp_path / "clone")
    done = run(clone, "x", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert "pip failed" in done.stderr
    assert "pip config list" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(clone, "x").stdout == "ran x\n"


def test_a_package_other_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    clone = small_clone(tmp_path / "clone")
    lock = re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", (clone / "requirements.lock").read_text())
    (clone / "requirements.lock").write_text(lock)
    done = run(clone, "x")
    assert done.returncode == 1
    assert "the index served something else than was locked" in done.stderr


@pytest.mark.parametrize("place", ["/dev/null/venv", "/proc/venv"])
def test_a_place_where_nothing_can_be_written_is_told_with_the_cure(made: Path, place: str) -> None:
    done = run(made, "x", PARKING_VENV=place)
    assert done.returncode == 1
    assert "PARKING_VENV=DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_other_things_is_never_cleared(made: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run(made, "x", PARKING_VENV=str(tmp_path))
    assert done.returncode == 1
    assert "is no virtual environment" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_is_told_with_the_cure(made: Path, tmp_path: Path) -> None:
    limited = f'ulimit -f 100; trap "" XFSZ; exec "{sys.executable}" "{made / "parking"}" x'
    done = subprocess.run(
        ["bash", "-c", limited],
        capture_output=True, text=True, check=False, env={**os.environ, "PARKING_VENV": str(tmp_path / "venv")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "make room" in done.stderr
    assert "Traceback" not in done.stderr
