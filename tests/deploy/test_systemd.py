"""The systemd units, without systemd: every command, setting, file and unit that they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from ops.cli import COMMANDS

FOLDER = Path(__file__).parents[2] / "deploy/systemd"
UNITS = {path.name: path.read_text() for path in FOLDER.glob("*.service")}
SHARED = (FOLDER / "smart-parking-.service.d/ours.conf").read_text()
TARGET = (FOLDER / "smart-parking.target").read_text()
CREDENTIALS = {"database-url", "mqtt-url", "secret-key", "plate-key"}


def said(text: str, word: str) -> list[str]:
    """The values of one directive."""
    return re.findall(rf"^{word}=(.*)$", text, re.MULTILINE)


def settings(text: str) -> Iterator[tuple[str, str]]:
    for value in said(text, "Environment"):
        name, _, rest = value.partition("=")
        if name != "PATH":
            yield name, rest


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_there_is_a_unit_for_each_of_our_processes_and_its_command_exists(unit: str) -> None:
    kinds = {"migrate.service", "ingest@.service", "worker@.service", "api@.service"}
    assert set(UNITS) == {f"smart-parking-{kind}" for kind in kinds}
    (command,) = said(UNITS[unit], "ExecStart")
    program, command, *_ = command.split()
    assert program == "/opt/smart-parking/entrypoint.sh"
    assert "PATH=/opt/smart-parking/bin:/usr/bin:/bin" in said(SHARED, "Environment"), "where it finds parking"
    assert command in COMMANDS
    assert (FOLDER.parent / "entrypoint.sh").is_file()


def test_every_variable_is_a_setting_and_its_secret_is_a_credential_of_the_unit(unit: str) -> None:
    given = {value.partition(":")[0] for value in said(UNITS[unit], "LoadCredential")}
    assert given == CREDENTIALS
    for name, value in (*settings(SHARED), *settings(UNITS[unit])):
        assert name.removesuffix("_FILE").removeprefix("PARKING_").lower() in Settings.model_fields, name
        if name.endswith("_FILE"):
            assert value.removeprefix("%d/") in given


def test_ingest_logs_in_to_the_broker_as_itself_and_the_others_as_the_api(unit: str) -> None:
    (file,) = (value for value in said(UNITS[unit], "LoadCredential") if value.startswith("mqtt-url:"))
    account = "ingest" if "ingest" in unit else "api"
    assert file == f"mqtt-url:/etc/smart-parking/mqtt-url-{account}"


def test_the_target_wants_all_of_them_and_a_stand_by_of_ingest_at_ports_of_their_own() -> None:
    wanted = [name for line in said(TARGET, "Wants") for name in line.split()]
    assert {re.sub(r"@\d+", "@", name) for name in wanted} == set(UNITS) - {"smart-parking-migrate.service"}
    ports = [match[1] for name in wanted if (match := re.search(r"@(\d+)\.service$", name))]
    assert len(ports) == len(set(ports)) == len(wanted)
    assert sum("ingest" in name for name in wanted) == 2
    for name, text in UNITS.items():
        for line in (*said(text, "Wants"), *said(text, "After"), *said(text, "PartOf")):
            assert {one for one in line.split() if one.startswith("smart-parking")} <= {*UNITS, "smart-parking.target"}
        assert "migrate" in name or said(text, "Restart") == ["always"]


def test_our_units_may_do_as_little_as_possible() -> None:
    assert said(SHARED, "User") == ["smart-parking"]
    assert said(SHARED, "NoNewPrivileges") == said(SHARED, "ProtectHome") == ["yes"]
    assert said(SHARED, "ProtectSystem") == ["strict"]
    assert said(SHARED, "CapabilityBoundingSet") == [""]
    assert (FOLDER / "smart-parking.sysusers").read_text().startswith("u smart-parking ")


def test_no_secret_is_written_in_a_unit() -> None:
    for text in (*UNITS.values(), SHARED):
        assert "://" not in text
