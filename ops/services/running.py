"""Both services as one thing: started together, watched, restarted one by one, stopped, found by other commands."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ops.services import mosquitto, postgres, processes
from ops.services.mosquitto import Broker
from ops.services.postgres import Cluster
from ops.services.processes import Running, ServiceUser
from ops.services.settings import ServiceSettings
from ops.services.ways import provide
from ops.state import InstallationError, State, write_whole

_STOP_SIGNALS = {
    postgres.NAME: (signal.SIGINT, signal.SIGQUIT),  # fast: running transactions are rolled back; then at once
    mosquitto.NAME: (signal.SIGTERM,),  # saves its sessions
}
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the services answer. The URLs contain passwords."""

    database_url: str = field(repr=False)
    mqtt_ingest_url: str = field(repr=False)
    mqtt_tester_url: str = field(repr=False)
    mqtt_api_url: str = field(repr=False)


class RunningServices:
    """The services while they run: a context manager that stops what it started."""

    def __init__(self, state: State, settings: ServiceSettings, services: dict[str, Cluster | Broker]) -> None:
        """Services that have been started, or are about to be."""
        self._state = state
        self._settings = settings
        self._services = services
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoints(self) -> Endpoints:
        """Where they answer now; a restart keeps the addresses while their ports are free."""
        cluster, broker = self._services.get(postgres.NAME), self._services.get(mosquitto.NAME)
        database_url = cluster.url() if isinstance(cluster, Cluster) else self._settings.database_url or ""
        elsewhere = self._settings.mqtt_url or ""
        ingest, tester, api = (
            broker.url(account) if isinstance(broker, Broker) else elsewhere for account in ("ingest", "tester", "api")
        )
        return Endpoints(database_url=database_url, mqtt_ingest_url=ingest, mqtt_tester_url=tester, mqtt_api_url=api)

    def begin(self, progress: Callable[[str], None]) -> None:
        """Start all of them."""
        for service in self._services.values():
            progress(f"starting {service}")
            service.start()
        self._tell()

    def hold(self, held: ExitStack) -> None:
        """Keep what is to be released after the stop."""
        self._held = held

    def dead(self) -> tuple[str, ...]:
        """Names of the services that should run and do not; those elsewhere are not ours to watch."""
        return tuple(name for name in self._services if find_service(self._state, name) is None)

    def restart(self, name: str) -> None:
        """Start a service again, whether it died or not.

        Raises: InstallationError if it does not come up.
        """
        _stop(self._state, (name,))
        self._services[name].start()
        self._tell()

    def stop(self) -> None:
        """End the services cleanly: sessions saved, transactions over. Safe to repeat."""
        _endpoints_file(self._state).unlink(missing_ok=True)
        _stop(self._state, tuple(self._services))
        self._held.close()

    def _tell(self) -> None:
        """Write down where the services answer, for commands run beside us."""
        told = {"services": list(self._services), "endpoints": asdict(self.endpoints)}
        write_whole(_endpoints_file(self._state), json.dumps(told))


def start(state: State, progress: Callable[[str], None]) -> RunningServices:
    """Start what no setting names elsewhere, after fetching it if need be; a crash of everything before is no matter.

    Args:
        state: the installation; its folder is made if it is not there.
        progress: told what is being done, in a few words.
    Raises: InstallationError with the cure; also when this installation runs already.
    """
    state.prepare()
    settings = ServiceSettings.read(state)
    with ExitStack() as held:
        if not held.enter_context(state.lock("services", patience_seconds=1)):
            raise InstallationError(
                f"The services of {state.root} are run by another command already.",
                cure="end that one, use it (parking env says its addresses), or run a second beside it: --state DIR",
            )
        running = RunningServices(state, settings, _services(state, settings, progress))
        try:
            running.begin(progress)
        except BaseException:
            running.stop()
            raise
        running.hold(held.pop_all())
        return running


def find_running(state: State) -> Endpoints | None:
    """The services of this installation as a command beside it may use them; None when it does not run.

    Where settings name both services, those are meant, whether or not anything runs here.

    Raises: InstallationError if the folder is closed to us.
    """
    settings = ServiceSettings.read(state)
    if settings.database_url and settings.mqtt_url:
        return RunningServices(state, settings, {}).endpoints
    try:
        told = json.loads(_endpoints_file(state).read_text())
        endpoints = Endpoints(**told["endpoints"])
    except PermissionError as closed:
        raise InstallationError(
            f"The folder {state.root} belongs to another user.",
            cure="run as that user, or name another folder: --state DIR or PARKING_STATE_DIR=DIR",
        ) from closed
    except (OSError, json.JSONDecodeError, KeyError, TypeError):
        return None
    return endpoints if all(find_service(state, name) for name in told["services"]) else None


def find_service(state: State, name: str) -> Running | None:
    """The process of this service, if it runs."""
    return processes.find_recorded(state.run / f"{name}.json")


def _services(state: State, settings: ServiceSettings, progress: Callable[[str], None]) -> dict[str, Cluster | Broker]:
    """What is to be run here, the broker first: it is up in no time, and keeps what comes meanwhile."""
    programs, user = provide(settings, progress), ServiceUser.find()
    services: dict[str, Cluster | Broker] = {}
    if programs.mosquitto:
        services[mosquitto.NAME] = Broker(state=state, program=programs.mosquitto, user=user, tls=settings.tls)
    if programs.postgres:
        services[postgres.NAME] = Cluster(state=state, programs=programs.postgres, user=user)
    return services


def _stop(state: State, names: tuple[str, ...]) -> None:
    """Ask all of them first, then wait for each, so that it takes as long as the slowest."""
    found = {name: running for name in names if (running := find_service(state, name))}
    for name, running in found.items():
        os.kill(running.pid, _STOP_SIGNALS[name][0])
    for name, running in found.items():
        if not running.has_ended_within(_STOP_SECONDS):
            running.stop(*_STOP_SIGNALS[name][1:], patience_seconds=5)
        (state.run / f"{name}.json").unlink(missing_ok=True)


def _endpoints_file(state: State) -> Path:
    return state.run / "endpoints.json"
