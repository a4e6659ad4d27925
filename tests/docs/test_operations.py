"""docs/operations.md against the code: settings and their defaults, log events, figures, folders."""

import re
from enum import Enum

from pydantic import SecretStr

from core.settings import Settings
from tests.docs.reading import page, source

VARIABLE = re.compile(r"PARKING_[A-Z][A-Z_]*[A-Z]")
GIVEN_BY_CONTAINERS = {"PARKING_LISTEN", "PARKING_MQTT_LISTEN", "PARKING_MQTT_PORT"}
"""Of the compose file alone, hence on deploy/README.md."""

PREFIXES = {"PARKING_MQTT_TLS", "PARKING_WECHAT", "PARKING_ALIPAY"}
"""Completed where they are used."""

FILES = {"ports.json", "truth.jsonl"}

OPERATIONS = page("docs/operations.md")


def rows() -> dict[str, str]:
    """The default of each variable that the tables list."""
    found = {}
    for line in OPERATIONS.text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and VARIABLE.search(cells[0]):
            found.update(dict.fromkeys(VARIABLE.findall(cells[0]), cells[1]))
    return found


def test_every_setting_has_its_row() -> None:
    untold = {f"PARKING_{name.upper()}" for name in Settings.model_fields} - rows().keys()
    assert untold == set(), "give each a row in docs/operations.md"


def test_the_defaults_are_those_of_the_code() -> None:
    listed = rows()
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is None or isinstance(default, SecretStr | tuple | Enum) or default == "":
            continue
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert f"`{shown}`" in listed[f"PARKING_{name.upper()}"], name


def test_every_variable_that_is_read_is_told() -> None:
    read = set(VARIABLE.findall(source())) - PREFIXES
    assert read - set(VARIABLE.findall(OPERATIONS.text)) == set(), "tell of each in docs/operations.md"


def test_every_variable_that_is_told_is_read() -> None:
    read = set(VARIABLE.findall(source())) | {f"PARKING_{name.upper()}" for name in Settings.model_fields}
    assert set(VARIABLE.findall(OPERATIONS.text)) - read == set()


def test_what_only_containers_read_is_told_there() -> None:
    assert GIVEN_BY_CONTAINERS - set(VARIABLE.findall(page("deploy/README.md").text)) == set()


def test_events_and_figures_exist() -> None:
    code = source()
    table = [line for line in OPERATIONS.text.splitlines() if line.startswith("| `")]
    events = [word for line in table for word in re.findall(r"`([a-z]+\.[a-z_]+)`", line.split(" | ")[0])]
    figures = [word for line in table for word in re.findall(r"`(parking_[a-z_]+)", line)]
    assert len(events) > 5
    assert len(figures) > 10
    assert [event for event in events if f'"{event}"' not in code and event not in FILES] == []
    assert [figure for figure in figures if f'"{figure.removesuffix("_total")}"' not in code] == []
