"""The services as an installation: started, found, doubled, killed, restarted, stopped."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from ops.services import find_running, start
from ops.services.processes import Running, ServiceUser, find_in
from ops.services.running import find_service
from ops.state import InstallationError, State
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.services

NewState = Callable[[], State]
NAMES = ("mosquitto", "postgres")


def quiet(_: str) -> None:
    """Progress that nobody reads."""


def ask(url: str, question: str) -> object:
    async def answer() -> object:
        db = await asyncpg.connect(url)
        try:
            return await db.fetchval(question)
        finally:
            await db.close()

    return asyncio.run(answer())


def pids(state: State) -> dict[str, int]:
    return {name: running.pid for name in NAMES if (running := find_service(state, name))}


def test_both_are_found_by_other_commands_while_they_run_and_not_afterwards(state: State) -> None:
    with start(state, quiet) as services:
        assert services.dead() == ()
        assert find_running(state) == services.endpoints
        assert ask(services.endpoints.database_url, "SELECT 1") == 1
        recorded = pids(state)
        assert set(recorded) == set(NAMES)
    assert find_running(state) is None
    assert [pid for pid in recorded.values() if Running.of(pid)] == []


def test_the_database_is_durable_private_and_carries_timescaledb(state: State) -> None:
    with start(state, quiet) as services:
        url = services.endpoints.database_url
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "127.0.0.1",
            "timescaledb.telemetry_level": "off",
            "timezone": "UTC",
        }.items():
            assert ask(url, f"SHOW {setting}") == value
        assert ask(url, "SELECT count(*) FROM pg_extension WHERE extname IN ('timescaledb', 'btree_gist')") == 2
        assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(url.replace(state.secret("database-parking"), "guess"), "SELECT 1")


def test_the_role_can_copy_its_database_with_a_hypertable_in_it(state: State) -> None:
    with start(state, quiet) as services:
        url = services.endpoints.database_url
        ask(url, "CREATE TABLE reading (at timestamptz NOT NULL)")
        ask(url, "SELECT create_hypertable('reading', by_range('at', INTERVAL '7 days'))::text")
        postgres = url.removesuffix("parking") + "postgres"
        ask(postgres, "CREATE DATABASE a_copy TEMPLATE parking")
        copy = url.removesuffix("parking") + "a_copy"
        ask(copy, "INSERT INTO reading VALUES (now())")
        assert ask(copy, "SELECT count(*) FROM reading") == 1
        assert ask(url, "SELECT count(*) FROM reading") == 0
        ask(postgres, "DROP DATABASE a_copy")


def test_passwords_are_closed_to_others(state: State) -> None:
    with start(state, quiet):
        open_to_others = [
            path
            for folder in ("secrets", "run", "mosquitto", "postgres", "logs")
            for path in (state.root / folder, *(state.root / folder).glob("*"))
            if path.stat().st_mode & 0o077 and path.parent == state.root
        ]
        assert open_to_others == []
        assert {path.stat().st_mode & 0o777 for path in (state.root / "secrets").iterdir()} == {0o600}


def test_a_second_start_on_the_same_folder_is_told_so(state: State) -> None:
    with start(state, quiet), pytest.raises(InstallationError, match="run by another command already"):
        start(state, quiet)


def test_two_installations_side_by_side_share_nothing(new_state: NewState) -> None:
    first, second = new_state(), new_state()
    with start(first, quiet) as one, start(second, quiet) as two:
        assert not set(pids(first).values()) & set(pids(second).values())
        ask(one.endpoints.database_url, "CREATE TABLE only_here ()")
        assert ask(two.endpoints.database_url, "SELECT to_regclass('only_here')::text") is None
        crossed = one.endpoints.database_url.replace(str(first.port("postgres")), str(second.port("postgres")))
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(crossed, "SELECT 1")
        one.stop()
        assert two.dead() == ()


def test_addresses_and_data_last_over_a_restart(state: State) -> None:
    with start(state, quiet) as services:
        before = services.endpoints
        ask(before.database_url, "CREATE TABLE kept AS SELECT 7 AS it")
    with start(state, quiet) as services:
        assert services.endpoints == before
        assert ask(before.database_url, "SELECT it FROM kept") == 7


@pytest.mark.parametrize("name", NAMES)
def test_a_service_that_was_killed_is_seen_dead_and_comes_back_at_its_address(state: State, name: str) -> None:
    with start(state, quiet) as services:
        before = services.endpoints
        ask(before.database_url, "CREATE TABLE kept AS SELECT 7 AS it")
        os.kill(pids(state)[name], signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while services.dead() != (name,) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert services.dead() == (name,)
        services.restart(name)
        assert services.dead() == ()
        assert services.endpoints == before == find_running(state)
        assert ask(before.database_url, "SELECT it FROM kept") == 7


STARTER = """
import sys, time
from pathlib import Path
from ops.services import start
from ops.state import State
services = start(State.find(Path(sys.argv[1])), lambda words: None)
print(services.endpoints.database_url, flush=True)
time.sleep(600)
"""


def start_elsewhere(state: State) -> tuple[subprocess.Popen[str], str]:
    """A command that runs the services until it dies, and the database's URL."""
    project = Path(__file__).parents[3]
    command = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(state.root)], stdout=subprocess.PIPE, text=True, cwd=project
    )
    assert command.stdout is not None
    return command, command.stdout.readline().strip()


def kill(command: subprocess.Popen[str]) -> None:
    command.kill()
    command.communicate()


def test_services_left_by_a_killed_command_are_taken_over(state: State) -> None:
    command, url = start_elsewhere(state)
    ask(url, "CREATE TABLE kept AS SELECT 7 AS it")
    left = pids(state)
    kill(command)
    assert pids(state) == left  # they outlived it, and can still be found
    with start(state, quiet) as services:
        assert not set(pids(state).values()) & set(left.values())
        assert [pid for pid in left.values() if Running.of(pid)] == []
        assert ask(services.endpoints.database_url, "SELECT it FROM kept") == 7


def test_a_start_after_everything_was_killed_recovers_by_itself(state: State) -> None:
    command, url = start_elsewhere(state)
    ask(url, "CREATE TABLE kept AS SELECT 7 AS it")
    kill(command)
    for pid in pids(state).values():
        os.kill(pid, signal.SIGKILL)
    for child in find_in(state.root / "postgres/data", "postgres"):
        os.kill(child.pid, signal.SIGKILL)
    assert (state.root / "postgres/data/postmaster.pid").exists()
    with start(state, quiet) as services:
        assert ask(services.endpoints.database_url, "SELECT it FROM kept") == 7


def test_leftovers_are_found_even_when_their_record_is_lost(state: State) -> None:
    command, _ = start_elsewhere(state)
    left = pids(state)
    kill(command)
    for name in NAMES:
        (state.run / f"{name}.json").unlink()
    with start(state, quiet) as services:
        assert [pid for pid in left.values() if Running.of(pid)] == []
        assert ask(services.endpoints.database_url, "SELECT 1") == 1


def test_a_stale_lock_file_with_somebody_elses_process_number_is_no_obstacle(state: State) -> None:
    with start(state, quiet):
        pass
    user = ServiceUser.find()
    stranger = subprocess.Popen(["sleep", "60"], user=user.uid if user else None)
    try:
        lock = state.root / "postgres/data/postmaster.pid"
        lock.write_text(f"{stranger.pid}\n{lock.parent}\n1\n1\n\n127.0.0.1\n\nready\n")
        with start(state, quiet) as services:
            assert ask(services.endpoints.database_url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_taken_by_somebody_else_is_replaced(state: State) -> None:
    with start(state, quiet) as services:
        before = services.endpoints
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # our own server was there a moment ago
        stranger.bind(("127.0.0.1", state.port("postgres")))
        stranger.listen()
        with start(state, quiet) as services:
            assert services.endpoints.database_url != before.database_url
            assert services.endpoints.mqtt_ingest_url == before.mqtt_ingest_url
            assert ask(services.endpoints.database_url, "SELECT 1") == 1


def test_a_database_made_half_is_made_anew(state: State) -> None:
    state.prepare()
    (state.root / "postgres/data.4711/base").mkdir(parents=True)
    with start(state, quiet) as services:
        assert ask(services.endpoints.database_url, "SELECT 1") == 1
    assert not list((state.root / "postgres").glob("data.*"))


def test_a_database_of_another_major_version_is_refused_and_left_alone(state: State) -> None:
    with start(state, quiet):
        pass
    (state.root / "postgres/data/PG_VERSION").write_text("9\n")
    with pytest.raises(InstallationError, match="made by PostgreSQL 9") as stop:
        start(state, quiet)
    assert "pg_dump" in stop.value.cure
    assert pids(state) == {}


def test_settings_of_ones_own_win(state: State) -> None:
    with start(state, quiet):
        pass
    (state.root / "postgres/local.conf").write_text("work_mem = '33MB'\n")
    with start(state, quiet) as services:
        assert ask(services.endpoints.database_url, "SHOW work_mem") == "33MB"


def test_settings_that_postgres_refuses_are_told_in_its_words(state: State) -> None:
    with start(state, quiet):
        pass
    (state.root / "postgres/local.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(InstallationError, match="no_such_setting"):
        start(state, quiet)
    assert pids(state) == {}


def test_services_named_by_settings_are_not_started_here(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_DATABASE_URL", "postgresql://somebody@elsewhere.example/parking")
    monkeypatch.setenv("PARKING_MQTT_URL", "mqtt://elsewhere.example")
    with start(state, quiet) as services:
        assert pids(state) == {}
        assert services.endpoints.database_url == "postgresql://somebody@elsewhere.example/parking"
        assert services.endpoints.mqtt_tester_url == "mqtt://elsewhere.example"
        assert find_running(state) == services.endpoints


def test_one_service_may_be_elsewhere(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_DATABASE_URL", "postgresql://somebody@elsewhere.example/parking")
    with start(state, quiet):
        assert set(pids(state)) == {"mosquitto"}
