"""The compose file, without an engine: the specification's schema, then every name that must lead somewhere."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from core.settings import Settings
from ops.cli import COMMANDS
from ops.services.containers import BROKER_HOST, DATABASE_HOST, prepare

PROJECT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "vendor/compose-spec.schema.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "deploy/compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def test_it_obeys_the_compose_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_the_schema_would_notice_a_wrong_word() -> None:
    wrong = COMPOSE | {"services": {"api": {"image": "x", "helthcheck": {}}}}
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def test_everything_waited_for_exists_and_can_reach_that_state() -> None:
    for name, service in SERVICES.items():
        for awaited, how in service.get("depends_on", {}).items():
            assert awaited in SERVICES, f"{name} waits for {awaited}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[awaited]
            else:
                assert SERVICES[awaited]["restart"] == "no", f"{awaited} never completes"


def test_every_volume_is_declared_and_used_and_secrets_reach_only_our_processes() -> None:
    mounts = [(name, *mount.split(":")) for name, service in SERVICES.items() for mount in service.get("volumes", [])]
    assert {mount[1] for mount in mounts} == set(COMPOSE["volumes"])
    assert {mount[0] for mount in mounts if mount[1] == "secrets"} == set(OURS)
    assert {mount[0] for mount in mounts if mount[1] == "database-secret"} == {"prepare", "database"}
    writers = {mount[0] for mount in mounts if mount[1] in {"secrets", "broker-settings"} and mount[3:] != ("ro",)}
    assert writers == {"prepare"}


def test_our_processes_run_commands_that_exist() -> None:
    commands = {name: service["command"] for name, service in OURS.items() if service["command"]}
    assert {"ingest", "worker", "api"} <= set(commands)
    assert {command[0] for command in commands.values()} <= set(COMMANDS)


def test_every_setting_is_one_of_ours_and_every_secret_is_written_by_prepare(tmp_path: Path) -> None:
    prepare(tmp_path)
    for name, service in OURS.items():
        for variable, value in service.get("environment", {}).items():
            setting = variable.removesuffix("_FILE").removeprefix("PARKING_").lower()
            assert setting in Settings.model_fields, f"{name}: {variable}"
            if variable.endswith("_FILE"):
                assert (tmp_path / value.removeprefix("/parking/")).is_file(), f"{name}: {value}"


def test_a_merchants_keys_reach_who_takes_money_and_never_the_repository() -> None:
    given = {name for name, service in SERVICES.items() if "env_file" in service}
    assert given == {"worker", "api"}
    (file,) = SERVICES["api"]["env_file"]
    assert file["required"] is False
    assert f"deploy/{file['path']}" in (PROJECT / ".gitignore").read_text().splitlines()
    assert (
        SERVICES["worker"]["environment"]["PARKING_PUBLIC_URL"] == SERVICES["api"]["environment"]["PARKING_PUBLIC_URL"]
    )


def test_the_addresses_that_prepare_writes_are_those_of_the_services(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert {DATABASE_HOST, BROKER_HOST} <= set(SERVICES)
    assert f"@{DATABASE_HOST}:5432/" in (tmp_path / "secrets/database-url").read_text()
    assert f"@{BROKER_HOST}:1883" in (tmp_path / "secrets/mqtt-url-ingest").read_text()
    assert (tmp_path / "database/superuser").name == Path(
        SERVICES["database"]["environment"]["POSTGRES_PASSWORD_FILE"]
    ).name


def test_what_is_published_is_loopback_unless_asked_for() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert all(":-127.0.0.1}:" in port for port in published)


def test_no_password_is_written_in_the_file() -> None:
    text = (PROJECT / "deploy/compose.yaml").read_text().lower()
    assert "password:" not in text
    assert "password=" not in text.replace("pgpassword=$$(cat", "")


def test_our_containers_may_do_as_little_as_possible() -> None:
    for service in OURS.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
