"""The Dockerfile, without an engine: its instructions, and that what it copies is there and not ignored."""

import fnmatch
import re
import subprocess
import tomllib
from pathlib import Path

from ops.cli import COMMANDS

PROJECT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
INSTRUCTIONS = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its words, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (PROJECT / "deploy/Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def is_ignored(path: str) -> bool:
    """As .dockerignore says: the last pattern that matches the path or a folder above it decides."""
    ignored = False
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").removeprefix("**/")
            parts = path.split("/")
            above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
            if any(fnmatch.fnmatchcase(each, pattern) for each in (*above, parts[-1])):
                ignored = not line.startswith("!")
    return ignored


def test_it_uses_instructions_that_exist_and_ends_as_an_ordinary_user() -> None:
    names = [name for name, _ in instructions()]
    assert set(names) <= INSTRUCTIONS
    assert names.count("FROM") == 2
    assert ("USER", "10001:10001") in instructions()


def test_everything_it_copies_is_in_the_tree_and_not_ignored() -> None:
    sources = [
        source
        for name, words in instructions()
        if name == "COPY" and "--from=" not in words
        for source in re.sub(r"--\S+ ", "", words).split()[:-1]
    ]
    assert "requirements.lock" in sources
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert source == "." or not is_ignored(source), source


def test_everything_the_wheel_is_built_from_reaches_the_image() -> None:
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    project = PYPROJECT["project"]
    for needed in (*wheel, project["readme"], *project["license-files"], "pyproject.toml"):
        assert not is_ignored(needed), needed
    assert is_ignored(".venv/bin/python")
    assert is_ignored("ops/__pycache__/cli.cpython-311.pyc")
    assert is_ignored("tests/conftest.py")


def test_its_python_is_one_that_the_project_supports() -> None:
    images = [words.split()[0] for name, words in instructions() if name == "FROM"]
    assert len(set(images)) == 1
    minor = int(images[0].removeprefix("python:3.").partition("-")[0])
    assert f"Programming Language :: Python :: 3.{minor}" in PYPROJECT["project"]["classifiers"]


def test_its_default_command_exists() -> None:
    assert dict(instructions())["CMD"] == '["doctor"]'
    assert "doctor" in COMMANDS


def test_the_entry_script_takes_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "parking").write_text('#!/bin/sh\necho "$PARKING_DATABASE_URL $PARKING_MQTT_URL $*"\n')
    (tmp_path / "parking").chmod(0o755)
    (tmp_path / "url").write_text("postgresql://a b$c\n")
    environ = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "PARKING_DATABASE_URL_FILE": f"{tmp_path}/url",
        "PARKING_MQTT_URL": "m",
    }
    script = PROJECT / "deploy/entrypoint.sh"
    done = subprocess.run([script, "api", "--x"], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "postgresql://a b$c m api --x\n"


def test_the_entry_script_says_which_secret_cannot_be_read(tmp_path: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin", "PARKING_SECRET_KEY_FILE": f"{tmp_path}/none"}
    done = subprocess.run(
        [PROJECT / "deploy/entrypoint.sh", "api"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "PARKING_SECRET_KEY_FILE names" in done.stderr
