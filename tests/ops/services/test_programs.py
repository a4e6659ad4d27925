import os
import stat
from pathlib import Path

import pytest

from ops.services.programs import (
    Mosquitto,
    Postgres,
    Unfit,
    inspect_mosquitto,
    inspect_postgres,
    list_mosquitto,
    list_postgres,
)
from ops.services.unpack import Unpacked


def program(path: Path, says: str) -> None:
    """A program that only says something of itself, as the real ones do when asked for their version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def postgres(home: Path, version: str, **extensions: str) -> Path:
    folder = home / "bin"
    program(folder / "postgres", f"postgres (PostgreSQL) {version}")
    program(folder / "pg_config", str(home / "share"))
    for name in ("initdb", "psql"):
        program(folder / name, "")
    (home / "share/extension").mkdir(parents=True)
    for name, number in extensions.items():
        (home / f"share/extension/{name}.control").write_text(f"default_version = '{number}'\n")
    return folder


@pytest.mark.parametrize(
    ("version", "extensions", "why"),
    [
        ("14.9", {"timescaledb": "2.19.3", "btree_gist": "1.7"}, "PostgreSQL 14.9 is older than 15"),
        ("15.18", {"btree_gist": "1.7"}, "PostgreSQL 15.18 without timescaledb"),
        ("17.1", {"timescaledb": "2.19.3"}, "PostgreSQL 17.1 without btree_gist"),
        ("17.1", {"timescaledb": "2.9.1", "btree_gist": "1.7"}, "TimescaleDB 2.9.1 is older than 2.13"),
    ],
)
def test_an_unfit_postgres_is_told_with_its_reason(
    tmp_path: Path, version: str, extensions: dict[str, str], why: str
) -> None:
    folder = postgres(tmp_path, version, **extensions)
    assert inspect_postgres(folder) == Unfit(path=folder, why=why)


def test_a_fit_postgres_on_the_path_comes_first(tmp_path: Path) -> None:
    folder = postgres(tmp_path, "16.4", timescaledb="2.17.0", btree_gist="1.7")
    found = list_postgres({"PATH": str(folder)})
    assert found[0] == Postgres(folder=folder, version="16.4", timescaledb="2.17.0")


def test_the_same_postgres_reached_by_a_link_is_told_once(tmp_path: Path) -> None:
    folder = postgres(tmp_path / "real", "16.4", timescaledb="2.17.0", btree_gist="1.7")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/postgres").symlink_to(folder / "postgres")
    found = list_postgres({"PATH": f"{tmp_path / 'links'}{os.pathsep}{folder}"})
    assert [each for each in found if isinstance(each, Postgres) and each.version == "16.4"] == [found[0]]


def test_a_mosquitto_that_overruns_its_window_is_unfit(tmp_path: Path) -> None:
    program(tmp_path / "mosquitto", "mosquitto version 2.0.11")
    assert list_mosquitto({"PATH": str(tmp_path)})[0] == Unfit(
        path=tmp_path / "mosquitto", why="Mosquitto 2.0.11 is older than 2.0.21"
    )


def test_what_does_not_run_is_unfit(tmp_path: Path) -> None:
    (tmp_path / "mosquitto").write_bytes(b"\x7fELF nothing more")
    (tmp_path / "mosquitto").chmod(0o755)
    assert inspect_mosquitto(tmp_path / "mosquitto") == Unfit(path=tmp_path / "mosquitto", why="it does not run")


@pytest.mark.services
def test_debians_unpacked_programs_are_fit(programs: Path) -> None:
    unpacked = Unpacked(tree=programs / "trixie")
    assert isinstance(inspect_postgres(unpacked.postgres), Postgres)
    assert isinstance(inspect_mosquitto(unpacked.mosquitto), Mosquitto)
