"""One installation's settings: what its processes need in their environment, and where they answer."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import UnavailableError
from ops.services import Endpoints, find_running
from ops.state import State


class NotRunningError(UnavailableError):
    """The command needs a running installation and there is none."""

    slug = "not-running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the api, and in a demo the simulated payment gateway, answer."""

    api_url: str
    gateway_url: str | None = None


def environment(process: str, endpoints: Endpoints | None = None) -> dict[str, str]:
    """Variables for one of our processes: set ones win, the rest come from the embedded services and the state folder.

    Args:
        process: ``ingest``, ``worker``, ``api``, ``simulate`` or ``command``: decides as whom it logs in to the broker.
        endpoints: the services; unset: those that run now.

    Raises:
        NotRunningError: something is not set and nothing runs that would tell.
    """
    state = State.find()
    endpoints = endpoints or find_running(state)
    if endpoints is None:
        raise NotRunningError(
            f"no installation runs in {state.root}. Start one with `parking up` (or `parking demo`), "
            "or set PARKING_DATABASE_URL and PARKING_MQTT_URL"
        )
    mqtt_url = {"ingest": endpoints.mqtt_ingest_url, "api": endpoints.mqtt_api_url}.get(
        process, endpoints.mqtt_tester_url
    )
    found = {
        "PARKING_DATABASE_URL": endpoints.database_url,
        "PARKING_MQTT_URL": mqtt_url,
        "PARKING_SECRET_KEY": state.secret("secret-key"),
        "PARKING_PLATE_KEY": state.secret("plate-key"),
        "PARKING_STATE_DIR": str(state.root),
    }
    return {name: os.environ.get(name) or value for name, value in found.items()}


def database_url() -> str:
    """The database of the running installation, or the one that is set.

    Raises:
        NotRunningError: neither.
    """
    return os.environ.get("PARKING_DATABASE_URL") or environment("command")["PARKING_DATABASE_URL"]


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
