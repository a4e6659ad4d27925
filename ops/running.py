"""A whole installation while it runs: services, schema, our processes, and the way to the api."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.clock import Clock, RealClock
from core.errors import InvalidError, UnavailableError
from ops import database
from ops.broker.applying import following
from ops.gateway import DEMO_BOOK, SimulatedGateway, gateway_of
from ops.installation import Told, environment
from ops.services import Endpoints, RunningServices
from ops.services import start as start_services
from ops.services.processes import Running
from ops.state import State, free_port, is_port_free
from ops.supervisor import Supervisor

DEFAULT_PORT: Final = 8000
API_READY_SECONDS: Final = 60.0
DEMO_GRACE_HOURS: Final = "1"
"""Nobody watches a demo for a day: debts of this morning are arrears by noon."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What runs, and where."""

    state: State
    services: RunningServices
    supervisor: Supervisor
    database_url: str
    api_url: str
    metrics_ports: dict[str, int]
    clock: Clock
    gateway: SimulatedGateway | None = None
    """The simulated payment gateway, where this installation is its merchant."""
    orders_port: int | None = None
    """Of a simulator beside it that is to take orders: people may park by the map."""

    @property
    def orders_url(self) -> str | None:
        """Where that simulator takes them."""
        return f"http://127.0.0.1:{self.orders_port}" if self.orders_port else None

    @property
    def endpoints(self) -> Endpoints:
        """Where the services answer."""
        return self.services.endpoints

    def revive(self) -> list[str]:
        """Start again what has died, services and processes; returns their names."""
        revived = list(self.services.dead())
        for name in revived:
            self.services.restart(name)
        return [*revived, *self.supervisor.revive()]


@contextmanager
def installed(
    say: Say,
    *,
    port: int | None,
    begin_clock: Callable[[], Clock] = RealClock,
    fresh_database: str | None = None,
    with_gateway: bool = False,
) -> Iterator[tuple[Installation, Callable[[], None]]]:
    """Bring the services up and the schema to this version; the second value starts ingest, worker and api.

    Args:
        say: told what is being done.
        port: of the api; None: 8000 or, where that is taken, another that is free.
        begin_clock: asked for the clock of everything once the services are there, however long that took.
        fresh_database: begin with an empty database of this name instead of the installation's own.
        with_gateway: be the merchant of a simulated payment gateway, which is started too and begins without money, and
            let people park by the map, which a simulator at the orders' port carries out.

    Raises:
        InvalidError: the wanted port is taken.
        InstallationError: the services cannot be had; names the cure.
    """
    state = State.find()
    os.environ["PARKING_STATE_DIR"] = str(state.root)
    with start_services(state, say) as services:
        url = services.endpoints.database_url
        if fresh_database and not os.environ.get("PARKING_DATABASE_URL"):
            url = asyncio.run(_replace_database(url, fresh_database))
        say("bringing the database to this version's schema")
        database.upgrade(url)
        api_port = _choose_port(port)
        clock = begin_clock()
        installation = Installation(
            state=state,
            services=services,
            supervisor=Supervisor(state=state),
            database_url=url,
            api_url=f"http://127.0.0.1:{api_port}",
            metrics_ports={name: state.port(f"{name}-metrics") for name in ("ingest", "worker")},
            clock=clock,
            gateway=gateway_of(state) if with_gateway else None,
            orders_port=_port_of_orders(state) if with_gateway else None,
        )
        gateway_url = installation.gateway.url if installation.gateway else None
        me = Running.of(os.getpid())
        if me is not None:
            Told(
                process=me, database_url=url, api_url=installation.api_url, clock=str(clock), gateway_url=gateway_url
            ).tell(state)
        try:
            with following(state, url):
                yield installation, lambda: _start_processes(installation, say, api_port, fresh_database)
        finally:
            say("stopping")
            installation.supervisor.stop()


def _start_processes(installation: Installation, say: Say, api_port: int, broker_session: str | None) -> None:
    say("starting ingest, worker and api")
    common = {
        **environment("command", installation.endpoints),
        "PARKING_DATABASE_URL": installation.database_url,
        "PARKING_CLOCK": str(installation.clock),
        "PARKING_PORT": str(api_port),
        "PARKING_PUBLIC_URL": os.environ.get("PARKING_PUBLIC_URL") or installation.api_url,
    }
    if installation.gateway:
        installation.gateway.forget(DEMO_BOOK)
        installation.gateway.start(installation.supervisor, book=DEMO_BOOK)
        common |= installation.gateway.settings
        common["PARKING_ARREARS_GRACE_HOURS"] = os.environ.get("PARKING_ARREARS_GRACE_HOURS", DEMO_GRACE_HOURS)
    if installation.orders_url:
        common["PARKING_DEMO_ORDERS_URL"] = installation.orders_url
    client_id = f"parking-ingest-{broker_session}" if broker_session else "parking-ingest"
    if broker_session:
        _forget_broker_session(installation.endpoints.mqtt_ingest_url, client_id)
    mqtt_urls = {"ingest": installation.endpoints.mqtt_ingest_url, "api": installation.endpoints.mqtt_api_url}
    for name, module in (("ingest", "ingest"), ("worker", "ops.worker"), ("api", "api")):
        port = installation.metrics_ports.get(name, 0)
        installation.supervisor.add(
            name,
            [module],
            {
                **common,
                "PARKING_MQTT_URL": mqtt_urls.get(name, installation.endpoints.mqtt_tester_url),
                "PARKING_MQTT_CLIENT_ID": client_id,
                "PARKING_METRICS_PORT": str(port),
            },
        )
    _wait_for_api(installation)


def _wait_for_api(installation: Installation) -> None:
    ends_at = time.monotonic() + API_READY_SECONDS
    why = "no answer"
    while time.monotonic() < ends_at:
        try:
            answer = httpx.get(f"{installation.api_url}/health/ready", timeout=2)
        except httpx.TransportError as error:
            why = str(error)
        else:
            if answer.is_success:
                return
            why = answer.text
        installation.revive()
        time.sleep(0.1)
    raise UnavailableError(
        f"the api is not ready after {API_READY_SECONDS:.0f} s ({why}); its log is {installation.supervisor.log('api')}"
    )


def _port_of_orders(state: State) -> int:
    port = state.port("orders")
    return port if is_port_free(port) else state.port("orders", renew=True)


def _choose_port(wanted: int | None) -> int:
    if wanted is not None:
        if not is_port_free(wanted):
            raise InvalidError(f"port {wanted} on 127.0.0.1 is taken; choose another: --port N", port=wanted)
        return wanted
    return DEFAULT_PORT if is_port_free(DEFAULT_PORT) else free_port()


async def _replace_database(url: str, name: str) -> str:
    await database.drop_database(url, name)
    return await database.create_database(url, name)


def _forget_broker_session(url: str, client_id: str) -> None:
    """What the broker still holds for an earlier run is not for this one."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    ends_at = time.monotonic() + 5
    while not client.is_connected() and time.monotonic() < ends_at:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
