"""One installation's settings: what its processes need in their environment, and where they answer."""

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from core.clock import Clock, parse_clock
from core.errors import UnavailableError
from ops.services import Endpoints, find_running
from ops.services.processes import Running
from ops.state import State, write_whole


class NotRunningError(UnavailableError):
    """The command needs a running installation and there is none."""

    slug = "not-running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a running ``parking up`` or ``parking demo`` tells commands beside it, as far as it differs or is new."""

    process: Running
    """Who tells; nothing it told holds when it is gone."""
    database_url: str
    api_url: str
    clock: str = ""
    gateway_url: str | None = None

    def tell(self, state: State) -> None:
        """Write it down."""
        write_whole(_told_file(state), json.dumps(asdict(self)))

    @classmethod
    def find(cls, state: State) -> "Told | None":
        """What the running one told; None when none runs."""
        try:
            told = json.loads(_told_file(state).read_text())
            known = {field.name for field in fields(cls)}
            found = cls(**{**{key: told[key] for key in told.keys() & known}, "process": Running(**told["process"])})
        except (OSError, json.JSONDecodeError, KeyError, TypeError):
            return None
        return found if found.process.is_alive() else None

    @classmethod
    def told_at(cls, state: State) -> float | None:
        """When the running one told, in seconds since 1970; None when none runs."""
        return _told_file(state).stat().st_mtime if cls.find(state) else None


def find_endpoints(state: State) -> Endpoints | None:
    """Where the running services answer, with the database that the running command works on; None when none runs."""
    endpoints, told = find_running(state), Told.find(state)
    return replace(endpoints, database_url=told.database_url) if endpoints and told else endpoints


def environment(process: str, endpoints: Endpoints | None = None) -> dict[str, str]:
    """Variables for one of our processes: set ones win, the rest come from what runs and from the state folder.

    Args:
        process: ``ingest``, ``worker``, ``api``, ``simulate`` or ``command``: decides as whom it logs in to the broker.
        endpoints: the services; unset: those that run now.

    Raises:
        NotRunningError: something is not set and nothing runs that would tell.
    """
    state = State.find()
    told = Told.find(state)
    endpoints = endpoints or find_endpoints(state)
    if endpoints is None:
        raise NotRunningError(
            f"no installation runs in {state.root}. Start one with `parking up` (or `parking demo`), "
            "or set PARKING_DATABASE_URL and PARKING_MQTT_URL"
        )
    mqtt_urls = {"ingest": endpoints.mqtt_ingest_url, "api": endpoints.mqtt_api_url}
    found = {
        "PARKING_DATABASE_URL": endpoints.database_url,
        "PARKING_MQTT_URL": mqtt_urls.get(process, endpoints.mqtt_tester_url),
        "PARKING_SECRET_KEY": state.secret("secret-key"),
        "PARKING_PLATE_KEY": state.secret("plate-key"),
        "PARKING_STATE_DIR": str(state.root),
        "PARKING_CLOCK": told.clock if told else "",
    }
    return {name: os.environ.get(name) or value for name, value in found.items()}


def database_url() -> str:
    """The database that is set, or that of the running installation.

    Raises:
        NotRunningError: neither.
    """
    return os.environ.get("PARKING_DATABASE_URL") or environment("command")["PARKING_DATABASE_URL"]


def installation_clock() -> Clock:
    """The clock that is set, or that of the running installation; else the real one."""
    told = Told.find(State.find())
    return parse_clock(os.environ.get("PARKING_CLOCK") or (told.clock if told else ""))


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _told_file(state: State) -> Path:
    return state.run / "installation.json"
