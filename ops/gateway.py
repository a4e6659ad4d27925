"""The simulated payment gateway beside an installation: its process, its folder, and the settings of its merchant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from core.errors import InvalidError
from core.settings import Settings
from ops.state import State, is_port_free
from ops.supervisor import Supervisor
from simulator.gateway.keys import merchant_settings, prepare, read_keys

GATEWAY: Final = "gateway"
"""Its name among the installation's processes and remembered ports."""
DEMO_BOOK: Final = "demo.sqlite3"
"""The demo's database begins afresh each time, and so does the money that was collected for it."""
ANSWER_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedGateway:
    """Where it answers and what its merchant sets."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Loopback only: it takes orders from whoever asks."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """``PARKING_WECHAT_*`` and ``PARKING_ALIPAY_*``, secrets included."""
        return merchant_settings(self.folder)

    def start(self, supervisor: Supervisor, *, book: str) -> None:
        """Run it among the installation's processes."""
        arguments = ["simulator.gateway", "--folder", str(self.folder), "--port", str(self.port), "--book", book]
        supervisor.add(GATEWAY, arguments, {})

    def forget(self, book: str) -> None:
        """Begin with no money collected."""
        for suffix in ("", "-wal", "-shm"):
            (self.folder / f"{book}{suffix}").unlink(missing_ok=True)


def gateway_of(state: State, port: int | None = None) -> SimulatedGateway:
    """This installation's gateway, its keys made if there are none, on a remembered port unless another is wanted.

    Raises:
        InvalidError: the wanted port is taken.
    """
    state.prepare()
    if port is None:
        port = state.port(GATEWAY)
        if not is_port_free(port):
            port = state.port(GATEWAY, renew=True)
    elif not is_port_free(port):
        raise InvalidError(f"port {port} on 127.0.0.1 is taken; choose another: --port N", port=port)
    gateway = SimulatedGateway(folder=folder_of(state), port=port)
    prepare(gateway.folder, gateway.url)
    return gateway


def find_gateway_url(state: State) -> str | None:
    """Where this installation's gateway answers; None when none runs."""
    try:
        url = read_keys(folder_of(state)).url
        answer = httpx.get(f"{url}/health", timeout=ANSWER_SECONDS, trust_env=False)
    except (InvalidError, OSError, httpx.HTTPError):
        return None
    return url if answer.is_success and answer.json().get("url") == url else None


def folder_of(state: State) -> Path:
    """Its keys and its money."""
    return state.root / "gateway"


def settings_of_merchant(folder: Path) -> Settings:
    """What a process is set to that takes money through the gateway of this folder.

    Raises:
        InvalidError: no gateway was ever prepared there.
    """
    given = merchant_settings(folder)
    return Settings.model_validate({name.removeprefix("PARKING_").lower(): value for name, value in given.items()})
