import os
import stat
from pathlib import Path

import pytest

from ops.state import InstallationError, State, find_closed_folder, write_whole

PROJECT = Path(__file__).parents[2]


def test_the_chosen_folder_wins_over_the_variable_and_that_over_the_users_own(tmp_path: Path) -> None:
    environ = {"PARKING_STATE_DIR": "/of/variable", "XDG_STATE_HOME": "/of/user"}
    assert State.find(tmp_path, environ).root == tmp_path
    assert State.find(None, environ).root == Path("/of/variable")


def test_roots_folder_is_one_that_services_can_reach_and_anybody_elses_is_his_own() -> None:
    root = State.find(None, {"XDG_STATE_HOME": "/of/user"}).root
    assert root == Path("/var/lib/smart-parking" if os.geteuid() == 0 else "/of/user/smart-parking")


def test_it_is_never_inside_the_program(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(PROJECT)
    for folder in (PROJECT, PROJECT / "state", tmp_path / "link/state"):
        with pytest.raises(InstallationError, match="lies inside"):
            State.find(folder)


def test_secrets_differ_last_and_are_closed(tmp_path: Path) -> None:
    one, other = State.find(tmp_path / "one"), State.find(tmp_path / "other")
    assert len({one.secret("a"), one.secret("b"), other.secret("a"), other.secret("b")}) == 4
    assert one.secret("a") == State.find(tmp_path / "one").secret("a")
    assert len(one.secret("a")) >= 32
    assert stat.S_IMODE((one.root / "secrets/a").stat().st_mode) == 0o600
    assert stat.S_IMODE((one.root / "secrets").stat().st_mode) == 0o700


def test_ports_are_remembered_and_differ(tmp_path: Path) -> None:
    state = State.find(tmp_path)
    ports = [state.port("a"), state.port("b")]
    assert len(set(ports)) == 2
    assert ports == [State.find(tmp_path).port("a"), State.find(tmp_path).port("b")]
    assert state.port("a", renew=True) not in ports
    assert state.port("b") == ports[1]


def test_a_damaged_port_file_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"a": 2')
    assert State.find(tmp_path).port("a") > 0


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    state = State.find(tmp_path)
    state.prepare()
    with state.lock("x") as first, state.lock("x") as second, state.lock("y") as other:
        assert (first, second, other) == (True, False, True)
    with state.lock("x") as again:
        assert again


def test_a_folder_that_cannot_be_made_is_told_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallationError, match="cannot be made") as stop:
        State.find(tmp_path / "file/state").prepare()
    assert "--state DIR" in stop.value.cure


def test_a_way_closed_to_the_services_user_is_found(tmp_path: Path) -> None:
    (tmp_path / "closed/state").mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents[:3]):  # pytest's own, those of parallel runs too
        if folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):  # noqa: S108 - only looked at
            folder.chmod(0o755)
    (tmp_path / "closed").chmod(0o700)
    stranger = 54_321
    assert find_closed_folder(tmp_path / "closed/state", stranger, stranger) == tmp_path / "closed"
    (tmp_path / "closed").chmod(0o711)
    assert find_closed_folder(tmp_path / "closed/state", stranger, stranger) is None
    (tmp_path / "closed").chmod(0o700)
    assert find_closed_folder(tmp_path / "closed/state", os.geteuid(), os.getegid()) is None


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write_whole(path, "first")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "first"
