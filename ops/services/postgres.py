"""The embedded TimescaleDB: made once, closed to others, recovered after any death, stopped clean."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ops.services import processes
from ops.services.postgres_conf import ACCESS, render_bootstrap, render_settings
from ops.services.processes import Running, ServiceUser
from ops.services.programs import Postgres
from ops.state import InstallationError, State, is_port_free, write_whole

NAME = "postgres"
ROLE = DATABASE = "parking"

_START_SECONDS = 60.0
"""Recovery after a crash replays at most 1 GB of write-ahead log."""
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One installation's database server. Its folder belongs to the user it runs as."""

    state: State
    programs: Postgres
    user: ServiceUser | None

    @property
    def folder(self) -> Path:
        """Holds ``data`` and what we remember of it."""
        return self.state.root / NAME

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.folder / "data"

    def __str__(self) -> str:
        return str(self.programs)

    def start(self) -> Running:
        """Start the server, after making it if need be; returns when it takes connections.

        Raises: InstallationError with the server's last words.
        """
        processes.own_folder(self.folder, self.user)
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        self._check_major()
        self._clear_leftovers()
        running = self._serve()
        processes.record(self.state.run / f"{NAME}.json", running)
        self._bootstrap()
        return running

    def url(self) -> str:
        """Of our database, as our role."""
        password = quote(self.state.secret("database-parking"))
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self.state.port(NAME)}/{DATABASE}"

    def _initialize(self) -> None:
        """``initdb`` beside the place, then rename: a broken try leaves no data folder."""
        for unfinished in self.folder.glob("data.*"):
            shutil.rmtree(unfinished)
        growing = self.folder / f"data.{os.getpid()}"
        words = self.folder / f"password.{os.getpid()}"
        write_whole(words, self.state.secret("database-superuser") + "\n")
        processes.give(words, self.user)
        try:
            self._run(
                "initdb", "--pgdata", growing, "--username", "postgres", "--pwfile", words, "--auth", "scram-sha-256",
                "--encoding", "UTF8", "--no-locale", "--data-checksums", "--no-instructions",
            )  # fmt: skip
        finally:
            words.unlink()
        growing.rename(self.data)

    def _check_major(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if self.programs.version.partition(".")[0] != made_by:
            raise InstallationError(
                f"The database in {self.data} was made by PostgreSQL {made_by}, and the one found is {self.programs}.",
                cure=f"bring PostgreSQL {made_by} with TimescaleDB back, or move the data over with pg_dump",
            )

    def _clear_leftovers(self) -> None:
        """End servers that an earlier run left behind, and a lock file whose process number is somebody else's now."""
        lock = self.data / "postmaster.pid"
        left = processes.find_in(self.data, NAME)
        if left and lock.exists():
            owner = Running.of(int(lock.read_text().split()[0]))
            if owner in left:
                owner.stop(signal.SIGINT, signal.SIGQUIT, patience_seconds=_STOP_SECONDS)
        for orphan in processes.find_in(self.data, NAME):  # without their parent they only have to notice it
            if not orphan.has_ended_within(5):
                orphan.stop(signal.SIGQUIT, patience_seconds=5)
        lock.unlink(missing_ok=True)

    def _serve(self) -> Running:
        """Launch and wait for readiness; a port that was taken meanwhile is replaced."""
        log = self.state.logs / f"{NAME}.log"
        for _ in range(3):
            port = self.state.port(NAME)
            if not is_port_free(port):
                port = self.state.port(NAME, renew=True)
            self._configure(port)
            said = log.stat().st_size if log.exists() else 0
            running = processes.launch(
                [self.programs.program("postgres"), "-D", self.data],
                user=self.user,
                folder=self.data,
                log=log,
                environ=processes.plain_environment(),
            )
            if self._is_ready(running):
                return running
            words = processes.tail(log, said)
            if "could not bind" not in words:
                break
        raise InstallationError(
            f"The database did not start. Its last words in {log}:\n{words}", cure=processes.cure_for(words)
        )

    def _configure(self, port: int) -> None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        overrides = self.folder / "local.conf"
        overrides.touch(mode=0o644)
        settings = render_settings(port=port, memory_bytes=memory, cores=os.cpu_count() or 1, overrides=str(overrides))
        for name, text in (("postgresql.conf", settings), ("pg_hba.conf", ACCESS)):
            write_whole(self.data / name, text)
            processes.give(self.data / name, self.user)

    def _is_ready(self, running: Running) -> bool:
        """Wait until the server says so in its lock file; False if it ended first or took too long."""
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if running.has_ended_within(0.02):
                return False
            try:
                lines = lock.read_text().split("\n")
            except FileNotFoundError:
                continue
            if len(lines) > 7 and lines[7].strip() == "ready":  # noqa: PLR2004 - the status is the eighth line
                return True
        running.stop(signal.SIGQUIT, patience_seconds=5)
        return False

    def _bootstrap(self) -> None:
        """Role, database and extensions, once."""
        mark = self.folder / "bootstrapped"
        if mark.exists():
            return
        statements = render_bootstrap(role=ROLE, password=self.state.secret("database-parking"), database=DATABASE)
        self._run(
            "psql", "--no-psqlrc", "--quiet", "--no-password", "--file", "-",
            statements=statements,
            PGHOST="127.0.0.1", PGPORT=str(self.state.port(NAME)), PGUSER="postgres", PGDATABASE="postgres",
            PGPASSWORD=self.state.secret("database-superuser"),
        )  # fmt: skip
        mark.touch()

    def _run(self, program: str, *arguments: str | Path, statements: str = "", **environ: str) -> None:
        """Run one of PostgreSQL's programs to its end. Raises: InstallationError with what it said."""
        done = subprocess.run(
            [str(self.programs.program(program)), *(str(argument) for argument in arguments)],
            input=statements,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=processes.plain_environment() | environ,
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
        if done.returncode != 0:
            words = processes.last_lines(done.stderr or done.stdout)
            raise InstallationError(f"{program} failed:\n{words}", cure=processes.cure_for(words))
