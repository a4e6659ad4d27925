"""Looking at one installation's folder: rights, room, where its services come from, who runs and who was left over."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from ops.checks.finding import Finding, fail, ok, warn
from ops.gateway import GATEWAY, find_gateway_url
from ops.services.mosquitto import NAME as BROKER
from ops.services.postgres import NAME as DATABASE
from ops.services.processes import Running, ServiceUser, find_in, find_recorded
from ops.services.programs import Mosquitto, Postgres
from ops.services.settings import ServiceSettings
from ops.services.ways import Survey, survey
from ops.state import InstallationError, State, find_closed_folder, is_port_free

LITTLE_ROOM_BYTES = 2_000_000_000
NO_ROOM_BYTES = 300_000_000
ELSEWHERE = "--state DIR or PARKING_STATE_DIR=DIR"


def check_installation(state: State) -> Iterator[Finding]:
    """Everything that can be seen from outside the services."""
    yield check_folder(state)
    yield check_room(state)
    try:
        user = ServiceUser.find()
        settings = ServiceSettings.read(state)
    except InstallationError as stop:
        yield fail("settings", stop.what, stop.cure)
        return
    yield check_user(state, user)
    for service in survey(settings):
        yield check_way(service)
    if os.access(state.run, os.W_OK | os.X_OK):
        yield check_ports(state)
        yield check_processes(state)


def check_folder(state: State) -> Finding:
    """Whether the state folder can be used by us."""
    if not os.access(state.root, os.F_OK):
        above = _nearest(state.root)
        if os.access(above, os.W_OK | os.X_OK):
            return ok("state folder", f"{state.root}, made at the first start")
        return fail("state folder", f"{state.root} cannot be made in {above}", f"choose another: {ELSEWHERE}")
    if not os.access(state.root, os.R_OK | os.W_OK | os.X_OK):
        owner = state.root.stat().st_uid
        return fail(
            "state folder",
            f"{state.root} belongs to uid {owner} and is closed to uid {os.geteuid()}",
            f"run as its owner, or choose another: {ELSEWHERE}",
        )
    return ok("state folder", str(state.root))


def check_room(state: State) -> Finding:
    """Whether the disk has room."""
    above = _nearest(state.root)
    free = shutil.disk_usage(above).free
    found = f"{free / 1e9:.1f} GB free on the disk of {above}"
    if free < NO_ROOM_BYTES:
        return fail("room", found, f"make room, or choose a folder on another disk: {ELSEWHERE}")
    if free < LITTLE_ROOM_BYTES:
        return warn("room", found, "make room: a year of a county's readings takes some tens of gigabytes")
    return ok("room", found)


def check_user(state: State, user: ServiceUser | None) -> Finding:
    """Whether the services' user can reach the folder."""
    if user is None:
        return ok("services run as", f"this user (uid {os.geteuid()})")
    if closed := find_closed_folder(state.root, user.uid, user.gid):
        return fail(
            "services run as",
            f"{user.name}, who may not pass through {closed}",
            f"chmod o+x {closed}, or choose another folder: {ELSEWHERE}",
        )
    return ok("services run as", f"{user.name}, who can reach the state folder")


def check_way(service: Survey[Postgres] | Survey[Mosquitto]) -> Finding:
    """Where a service comes from, and why not from an earlier one of the four ways."""
    can_be_had = not service.wants_packages or service.unpacked or not service.no_packages
    if can_be_had:
        return ok(f"{service.service} from", service.explain())
    return fail(
        f"{service.service} from",
        service.explain(),
        "docker compose -f deploy/compose.yaml up, or set PARKING_DATABASE_URL and PARKING_MQTT_URL",
    )


def check_ports(state: State) -> Finding:
    """Whether a remembered port is held by somebody else while the service that wants it does not run."""
    try:
        ports = json.loads((state.root / "ports.json").read_text())
    except (OSError, json.JSONDecodeError):
        return ok("ports", "none remembered yet")
    idle = {name: port for name, port in ports.items() if not _is_held_by_us(state, name)}
    taken = [f"{name} {port}" for name, port in idle.items() if not is_port_free(port)]
    if taken:
        return warn("ports", f"held by others: {', '.join(taken)}", "none needed: the next start takes other ones")
    return ok("ports", ", ".join(f"{name} {port}" for name, port in ports.items()))


def check_processes(state: State) -> Finding:
    """Who runs; who died though a command still runs it; who was left over by a command that was killed."""
    recorded = {path.stem for path in state.run.glob("*.json") if _is_record(path)}
    running = {name for name in recorded if _runs(state, name)}
    unrecorded = _unrecorded(state)
    with state.lock("services") as is_free:
        if is_free and (running or unrecorded):
            return warn(
                "processes",
                f"left over from a run that was killed: {', '.join(sorted(running | unrecorded))}",
                "none needed: the next start ends them cleanly and takes over",
            )
        if not is_free and recorded - running:
            return fail(
                "processes", f"dead: {', '.join(sorted(recorded - running))}", f"read {state.logs}, then start again"
            )
    return ok("processes", f"running: {', '.join(sorted(running))}" if running else "none running now")


def _is_held_by_us(state: State, port: str) -> bool:
    """Whether the service or process that wants this port has it; a gateway in a terminal of its own has no record."""
    if port == GATEWAY:
        return _runs(state, f"process-{GATEWAY}") or find_gateway_url(state) is not None
    is_of_metrics = port.endswith("-metrics")
    return _runs(state, f"process-{port.removesuffix('-metrics')}" if is_of_metrics else port)


def _nearest(path: Path) -> Path:
    """The folder itself or the nearest one above that we can see."""
    return next(folder for folder in (path, *path.parents) if os.access(folder, os.F_OK))


def _runs(state: State, name: str) -> bool:
    return find_recorded(state.run / f"{name}.json") is not None


def _is_record(path: Path) -> bool:
    try:
        return set(json.loads(path.read_text())) == {"pid", "started"}
    except (OSError, json.JSONDecodeError, TypeError):
        return False


def _unrecorded(state: State) -> set[str]:
    """Services at work in our folders of which no record is left."""
    homes = {DATABASE: state.root / DATABASE / "data", BROKER: state.root / BROKER}
    return {
        name
        for name, home in homes.items()
        if not _runs(state, name) and any(_is_alone(each) for each in find_in(home, name))
    }


def _is_alone(running: Running) -> bool:
    """Whether it is a server of its own, or a server's child that has lost it: either way its parent is no server."""
    try:
        parent = psutil.Process(running.pid).parent()
        return parent is None or parent.name() not in {DATABASE, BROKER}
    except psutil.Error:
        return False
