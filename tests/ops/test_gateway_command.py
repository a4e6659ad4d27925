"""``parking gateway``: one process beside an installation, whose merchant's settings a shell can take in."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from billing.providers.configured import build_providers
from core.settings import Settings
from ops.gateway import find_gateway_url
from ops.state import State
from tests.support.waiting import until

PARKING = (sys.executable, "-m", "ops.cli", "gateway")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("PARKING_STATE_DIR", str(tmp_path / "state"))
    return State.find()


async def test_its_settings_make_a_merchant_of_both_providers(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'eval "$({" ".join(PARKING)} --settings)" && env -0'
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True)  # noqa: ASYNC221 - nothing else waits
    for line in said.stdout.decode().split("\0"):
        name, _, value = line.partition("=")
        if name.startswith(("PARKING_WECHAT_", "PARKING_ALIPAY_")):
            monkeypatch.setenv(name, value)
    providers = build_providers(Settings())
    assert set(providers) == {"wechat", "alipay"}
    for provider in providers.values():
        await provider.aclose()


async def test_it_is_found_while_it_runs_and_keeps_its_address(state: State) -> None:
    assert find_gateway_url(state) is None
    urls = []
    for _ in range(2):
        running = subprocess.Popen(PARKING, stdout=subprocess.DEVNULL, env=dict(os.environ))  # noqa: ASYNC220 - as above

        async def is_found() -> str | None:
            return find_gateway_url(state)

        urls.append(await until(is_found))
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{urls[-1]}/control/totals")).json() == {}
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    assert urls[0] == urls[1]
    assert find_gateway_url(state) is None
