"""The embedded broker: configured anew at each start, told in place when its users change, stopped clean."""

import os
import signal
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ops.services import accounts, processes
from ops.services.accounts import Account
from ops.services.mosquitto_conf import render_settings
from ops.services.processes import Running, ServiceUser
from ops.services.programs import Mosquitto
from ops.services.settings import TlsListener
from ops.state import InstallationError, State, is_port_free, write_whole

NAME = "mosquitto"

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One installation's broker. Its folder belongs to the user it runs as."""

    state: State
    program: Mosquitto
    user: ServiceUser | None
    tls: TlsListener | None = None

    @property
    def folder(self) -> Path:
        """Its configuration, passwords, access list and saved sessions."""
        return self.state.root / NAME

    def __str__(self) -> str:
        return str(self.program)

    def start(self) -> Running:
        """Start the broker; returns when it takes connections.

        Saved sessions that cannot be read (a disk that failed) are put aside, so that the city goes on without them.

        Raises: InstallationError with its last words.
        """
        processes.own_folder(self.folder, self.user)
        for orphan in processes.find_in(self.folder, NAME):
            orphan.stop(signal.SIGTERM, patience_seconds=_STOP_SECONDS)
        _write_accounts(self.state, self.user)
        running = self._serve()
        processes.record(self.state.run / f"{NAME}.json", running)
        return running

    def url(self, account: str) -> str:
        """As this process user."""
        password = quote(self.state.secret(f"mqtt-{account}"))
        return f"mqtt://{account}:{password}@127.0.0.1:{self.state.port(NAME)}"

    def _serve(self) -> Running:
        log = self.state.logs / f"{NAME}.log"
        words = ""
        for _ in range(3):
            port = self.state.port(NAME)
            if not is_port_free(port):
                port = self.state.port(NAME, renew=True)
            self._configure(port)
            said = log.stat().st_size if log.exists() else 0
            running = processes.launch(
                [self.program.program, "-c", self.folder / "mosquitto.conf"],
                user=self.user,
                folder=self.folder,
                log=log,
                environ=processes.plain_environment(),
            )
            if _listens(running, port):
                return running
            words = processes.tail(log, said)
            if "open database" in words:
                saved = self.folder / "mosquitto.db"
                saved.replace(saved.with_suffix(f".unreadable-{int(time.time())}"))
            elif "Address already in use" not in words:
                break
        raise InstallationError(
            f"The broker did not start. Its last words in {log}:\n{words}", cure=processes.cure_for(words)
        )

    def _configure(self, port: int) -> None:
        files = [self.folder / "mosquitto.conf"]
        write_whole(files[0], render_settings(folder=self.folder, port=port, tls=self.tls))
        if self.tls:
            for source, name in ((self.tls.certificate, "tls.crt"), (self.tls.key, "tls.key")):
                files.append(self.folder / name)
                write_whole(files[-1], source.read_text())
        for file in files:
            processes.give(file, self.user)


def list_process_accounts(state: State) -> tuple[Account, ...]:
    """The users of our own processes and testers."""
    return (
        accounts.ingest(state.secret("mqtt-ingest")),
        accounts.tester(state.secret("mqtt-tester")),
        accounts.api(state.secret("mqtt-api")),
        accounts.unregistered(state.secret("mqtt-unregistered")),
    )


def admit(state: State, user: ServiceUser | None, registered: Iterable[Account]) -> None:
    """Make these, beside our own processes, the broker's users; a running broker reads them at once, others stay on.

    Args:
        state: of the installation.
        user: who the services run as.
        registered: every sensor, gateway and platform of the registry; who is missing is locked out.
    """
    registered = tuple(registered)
    folder = state.root / NAME
    for name, text in (
        ("registered.passwords", accounts.render_passwords(registered)),
        ("registered.access", accounts.render_access(registered)),
    ):
        write_whole(folder / name, text)
        processes.give(folder / name, user)
    _write_accounts(state, user)
    if broker := processes.find_recorded(state.run / f"{NAME}.json"):
        os.kill(broker.pid, signal.SIGHUP)


def _write_accounts(state: State, user: ServiceUser | None) -> None:
    """Both files, from our own accounts and what the registry last said, which is kept as hashes only."""
    folder = state.root / NAME
    own = list_process_accounts(state)
    for name, text in (("passwords", accounts.render_passwords(own)), ("access", accounts.render_access(own))):
        registered = folder / f"registered.{name}"
        write_whole(folder / name, text + (registered.read_text() if registered.exists() else ""))
        processes.give(folder / name, user)


def _listens(running: Running, port: int) -> bool:
    """Wait until the port takes connections; False if the broker ended first or took too long."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if running.has_ended_within(0.01):
            return False
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
    running.stop(signal.SIGTERM, patience_seconds=5)
    return False
