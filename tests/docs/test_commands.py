"""Commands that the pages show really exist, with the options that are shown; addresses that are asked for do, too."""

import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from starlette.routing import Match
from typer.main import get_command

from api.app import create_app
from core.settings import Settings
from ops.cli import COMMANDS, build
from tests.docs.reading import pages

PLACEHOLDER = re.compile(r"[A-Z]{2,}")


def shown() -> Iterator[tuple[str, list[str]]]:
    """Page and words of every command behind a prompt."""
    for one in pages():
        for block in one.blocks("console"):
            for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE):
                yield one.name, shlex.split(line, comments=True)


PARKING = [(name, words) for name, words in shown() if words[0] in {"./parking", "parking"}]
ADDRESSES = [
    (name, word.removeprefix("$PARKING_API_URL"))
    for name, words in shown()
    for word in words
    if word.startswith("$PARKING_API_URL/")
]


def test_every_command_is_told() -> None:
    told = "\n".join(one.text for one in pages() if one.name.startswith(("README", "docs/")))
    untold = [command for command in COMMANDS if not re.search(rf"\bparking {command}\b", told)]
    assert untold == [], "give each a row in docs/operations.md"


@pytest.mark.parametrize(
    ("name", "words"), PARKING, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_command_that_is_shown_exists(name: str, words: list[str]) -> None:
    _, command, *rest = words
    if PLACEHOLDER.fullmatch(command):
        return
    assert command in COMMANDS, f"{name} shows {command}"
    found = get_command(build(command))
    names = [command]
    if hasattr(found, "commands"):
        found = found.commands[command]
    while hasattr(found, "commands") and rest and not rest[0].startswith("-"):
        names.append(rest.pop(0))
        assert names[-1] in found.commands, f"{name} shows {' '.join(names)}"
        found = found.commands[names[-1]]
    options = {"--state", "--help"} | {flag for param in found.params for flag in (*param.opts, *param.secondary_opts)}
    if command != "test":  # its further arguments are pytest's
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} - options == set()


@pytest.mark.parametrize(("name", "address"), ADDRESSES)
def test_an_address_that_is_asked_for_exists(name: str, address: str) -> None:
    settings = Settings(database_url=SecretStr("postgresql://nobody@127.0.0.1/none"), secret_key=SecretStr("x" * 32))
    scope = {"type": "http", "method": "GET", "path": urlsplit(address).path, "headers": []}
    matches = [route.matches(scope)[0] for route in create_app(settings).routes]
    assert Match.FULL in matches, f"{name} asks for {address}"
