"""`parking doctor` against a real installation: whole, killed, closed, elsewhere."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.checks.finding import Finding, Verdict, fail
from ops.checks.installation import check_installation
from ops.checks.live import check_broker, check_services
from ops.checks.machine import check_machine
from ops.commands.doctor import app, examine
from ops.database import upgrade
from ops.services import RunningServices
from ops.services.processes import Running, record
from ops.state import State


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    for name in ("PARKING_DATABASE_URL", "PARKING_MQTT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PARKING_STATE_DIR", str(tmp_path / "state"))
    return State.find()


def test_every_complaint_needs_a_cure() -> None:
    with pytest.raises(ValueError, match="no cure"):
        fail("room", "none", "")


def test_this_machine_can_run_it() -> None:
    assert [finding for finding in check_machine() if finding.verdict is Verdict.FAIL] == []


def test_before_the_first_start_it_only_looks(state: State) -> None:
    findings = by_name(examine(state))
    assert findings["state folder"].verdict is Verdict.OK
    assert "not running" in findings["services"].found
    assert not state.root.exists()


def test_a_folder_that_cannot_be_made_fails_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = by_name(check_installation(State.find(tmp_path / "file/state")))["state folder"]
    assert found.verdict is Verdict.FAIL
    assert "--state DIR" in found.cure


def test_it_says_why_the_earlier_ways_are_not_taken(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_name(check_installation(state))
    assert found["postgres from"].found.startswith("PARKING_DATABASE_URL is not set; ")
    monkeypatch.setenv("PARKING_DATABASE_URL", "postgresql://elsewhere.example/parking")
    assert by_name(check_installation(state))["postgres from"].found == "named by PARKING_DATABASE_URL"


def test_half_a_certificate_fails_with_the_cure(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_MQTT_TLS_KEY", "/nowhere/key.pem")
    found = by_name(check_installation(state))["settings"]
    assert found.verdict is Verdict.FAIL
    assert "PARKING_MQTT_TLS_CERTIFICATE" in found.cure


def test_a_port_held_by_somebody_else_is_a_warning(state: State) -> None:
    state.prepare()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", state.port("postgres")))
        stranger.listen()
        assert by_name(check_installation(state))["ports"].verdict is Verdict.WARN
    assert by_name(check_installation(state))["ports"].verdict is Verdict.OK


def test_a_broker_that_is_not_there_fails() -> None:
    found = check_broker("mqtt://somebody@127.0.0.1:1")
    assert found.verdict is Verdict.FAIL
    assert "does not answer" in found.found


@pytest.mark.services
def test_a_database_without_the_schema_fails_and_is_well_after_the_upgrade(services: RunningServices) -> None:
    before = by_name(check_services(services.endpoints))
    upgrade(services.endpoints.database_url)
    after = by_name(check_services(services.endpoints))
    assert before["schema"].verdict in {Verdict.FAIL, Verdict.OK}  # another test may have migrated it already
    assert {name: finding.verdict for name, finding in after.items()} == dict.fromkeys(
        ("database", "clock", "schema", "broker"), Verdict.OK
    )
    assert "TimescaleDB" in after["database"].found
    assert "mosquitto version 2" in after["broker"].found


@pytest.mark.services
def test_a_wrong_password_is_told(services: RunningServices) -> None:
    url = services.endpoints.mqtt_ingest_url
    user = url.partition("//")[2].partition(":")[0]
    found = check_broker(url.replace(url.partition("@")[0], f"mqtt://{user}:guess"))
    assert found.verdict is Verdict.FAIL
    assert "refuses us" in found.found


@pytest.mark.services
def test_services_left_over_are_a_warning_that_needs_nothing(services: RunningServices, state: State) -> None:
    """A running process of our own stands for one that outlived its command: nobody holds the lock of this folder."""
    state.prepare()
    ourselves = Running.of(os.getpid())
    assert ourselves is not None
    record(state.run / "postgres.json", ourselves)
    found = by_name(check_installation(state))["processes"]
    assert found.verdict is Verdict.WARN
    assert found.found.endswith("postgres")
    with state.lock("services"):
        assert by_name(check_installation(state))["processes"].verdict is Verdict.OK


def test_a_dead_process_under_a_living_command_fails(state: State) -> None:
    state.prepare()
    record(state.run / "ingest.json", Running(pid=os.getpid(), started="long ago"))
    with state.lock("services"):
        found = by_name(check_installation(state))["processes"]
    assert found.verdict is Verdict.FAIL
    assert found.found == "dead: ingest"


def test_the_command_shows_each_finding_with_its_cure_and_ends_with_1(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PARKING_STATE_DIR", str(tmp_path / "file/state"))
    done = CliRunner().invoke(app)
    assert done.exit_code == 1
    assert "fail  state folder" in done.stdout
    assert "--state DIR" in done.stdout
