"""The embedded services: a real TimescaleDB and a real Mosquitto, private to one installation."""

from ops.services.running import Endpoints, RunningServices, find_running, start

__all__ = ["Endpoints", "RunningServices", "find_running", "start"]
