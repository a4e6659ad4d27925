"""What ``prepare`` writes for the containers, given to the real broker and the real database."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ops.services import start
from ops.services.containers import prepare
from ops.services.processes import ServiceUser, launch, plain_environment
from ops.services.unpack import Unpacked
from ops.state import State, free_port, is_port_free
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.services


async def who_am_i(url: str) -> object:
    db = await asyncpg.connect(url)
    try:
        return await db.fetchval("SELECT current_user")
    finally:
        await db.close()


def answer(user: str, password: str, port: int) -> str:
    """What the broker says to a client that introduces itself so."""
    said: list[str] = []

    def note(_client: mqtt.Client, _none: object, _flags: object, reason: ReasonCode, _properties: object) -> None:
        said.append(str(reason))

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(user, password)
    client.on_connect = note
    client.connect("127.0.0.1", port)
    deadline = time.monotonic() + 5
    while not said and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    return said[0]


def test_the_broker_runs_with_its_volume_and_lets_ingest_in(programs: Path, new_state: Callable[[], State]) -> None:
    volumes, port, user = new_state().root, free_port(), ServiceUser.find()
    settings, data = volumes / "settings", volumes / "data"
    prepare(volumes / "parking", listen="127.0.0.1", port=port, broker_folder=settings, broker_data=data)
    shutil.copytree(volumes / "parking/broker", settings)  # as the container does
    volumes.chmod(0o755)
    data.mkdir()
    if user:
        os.chown(data, user.uid, user.gid)
    broker = launch(
        [Unpacked(tree=programs / "trixie").mosquitto, "-c", settings / "mosquitto.conf"],
        user=user, folder=data, log=volumes / "log", environ=plain_environment(),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while is_port_free(port) and time.monotonic() < deadline:
            time.sleep(0.02)
        url = urlsplit((volumes / "parking/secrets/mqtt-url-ingest").read_text().strip())
        assert url.port == port
        assert answer("ingest", url.password or "", port) == "Success"
        assert answer("ingest", "guess", port) == "Not authorized"
    finally:
        assert broker.stop(signal.SIGTERM, patience_seconds=5)
    assert (data / "mosquitto.db").exists()


def test_the_superuser_brings_the_role_about_and_the_role_gets_in(
    programs: Path, new_state: Callable[[], State]
) -> None:
    state, volumes = new_state(), new_state().root
    prepare(volumes)
    url = (volumes / "secrets/database-url").read_text().strip()
    with start(state, lambda _: None):
        here = f"127.0.0.1:{state.port('postgres')}"
        for _ in range(2):  # migrate runs at every start
            subprocess.run(
                [Unpacked(tree=programs / "trixie").postgres / "psql", "--no-psqlrc", "--quiet",
                 f"postgresql://postgres:{state.secret('database-superuser')}@{here}/postgres",
                 "--file", volumes / "secrets/bootstrap.sql"],
                check=True, capture_output=True,
            )  # fmt: skip
        assert asyncio.run(who_am_i(url.replace("database:5432", here))) == "parking"


def test_passwords_last_over_a_second_start(tmp_path: Path) -> None:
    prepare(tmp_path)
    before = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    prepare(tmp_path)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == before
