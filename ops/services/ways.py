"""Which way the database and the broker come from, in their order, and why the earlier ways are not taken."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ops.services import debian, mosquitto, postgres
from ops.services.debian import WITHOUT_PACKAGES, Progress
from ops.services.programs import (
    Mosquitto,
    Postgres,
    Unfit,
    inspect_mosquitto,
    inspect_postgres,
    list_mosquitto,
    list_postgres,
)
from ops.services.settings import ServiceSettings
from ops.services.unpack import Unpacked, find_unpacked, unpack
from ops.state import InstallationError

Program = TypeVar("Program", Postgres, Mosquitto)

SETTINGS = {postgres.NAME: "PARKING_DATABASE_URL", mosquitto.NAME: "PARKING_MQTT_URL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(Generic[Program]):
    """What this machine offers for one service, nothing fetched yet."""

    service: str
    url: str | None
    """Named by a setting: the first way."""
    on_machine: tuple[Program | Unfit, ...]
    """Programs found: the second way, if one is fit."""
    unpacked: Unpacked | None
    """Debian's packages, unpacked by an earlier start: the third way, already gone."""
    no_packages: str | None
    """What keeps Debian's packages from being fetched."""

    @property
    def fit(self) -> Program | None:
        """The program of this machine that will be run."""
        return next((found for found in self.on_machine if not isinstance(found, Unfit)), None)

    @property
    def wants_packages(self) -> bool:
        """Whether the third way has to be gone."""
        return self.url is None and self.fit is None

    def explain(self) -> str:
        """The ways in their order up to the one in force, in words."""
        setting = SETTINGS[self.service]
        if self.url:
            return f"named by {setting}"
        words: list[str] = [f"{setting} is not set"]
        if self.fit:
            return "; ".join([*words, f"this machine has {self.fit}"])
        words.extend([str(found) for found in self.on_machine] or [f"no {self.service} on this machine"])
        if self.unpacked:
            words.append(f"so Debian's packages, unpacked in {self.unpacked.tree}")
        elif self.no_packages:
            words.append(f"Debian's packages cannot be fetched: {self.no_packages}")
        else:
            words.append("so Debian's packages will be fetched at the first start (42 MB)")
        return "; ".join(words)


def survey(
    settings: ServiceSettings, environ: Mapping[str, str] = os.environ
) -> tuple[Survey[Postgres], Survey[Mosquitto]]:
    """Look at both services: the database, the broker."""
    no_packages = debian.why_unavailable()
    database = Survey(
        service=postgres.NAME,
        url=settings.database_url,
        on_machine=() if settings.database_url else list_postgres(environ),
        unpacked=find_unpacked(settings.programs, {postgres.NAME}),
        no_packages=no_packages,
    )
    broker = Survey(
        service=mosquitto.NAME,
        url=settings.mqtt_url,
        on_machine=() if settings.mqtt_url else list_mosquitto(environ),
        unpacked=find_unpacked(settings.programs, {mosquitto.NAME}),
        no_packages=no_packages,
    )
    return database, broker


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs that will be run; None where a setting names a service elsewhere."""

    postgres: Postgres | None
    mosquitto: Mosquitto | None


def provide(settings: ServiceSettings, progress: Progress) -> Programs:
    """Find or fetch the programs.

    Raises: InstallationError naming every way that was tried, and the two that are left.
    """
    database, broker = surveys = survey(settings)
    wanted = {survey.service for survey in surveys if survey.wants_packages}
    if wanted and debian.why_unavailable() and not find_unpacked(settings.programs, wanted):
        reasons = "\n".join(f"  {each.service}: {each.explain()}" for each in surveys if each.wants_packages)
        raise InstallationError(f"There is no database or no broker to run with:\n{reasons}", cure=WITHOUT_PACKAGES)
    unpacked = unpack(settings.programs, wanted, progress) if wanted else None
    return Programs(
        postgres=_fit(inspect_postgres(unpacked.postgres)) if unpacked and database.wants_packages else database.fit,
        mosquitto=_fit(inspect_mosquitto(unpacked.mosquitto)) if unpacked and broker.wants_packages else broker.fit,
    )


def find_psql(settings: ServiceSettings) -> Path | None:
    """The terminal client of the PostgreSQL that is or would be run, else the one on the path; None where none is."""
    database, _ = survey(settings)
    if database.fit:
        return database.fit.program("psql")
    if database.unpacked:
        return database.unpacked.postgres / "psql"
    found = shutil.which("psql")
    return Path(found) if found else None


def _fit(found: Program | Unfit) -> Program:
    """Of the programs we unpacked ourselves. Raises: InstallationError if they do not run after all."""
    if isinstance(found, Unfit):
        raise InstallationError(
            f"Debian's packages were unpacked, but {found}.",
            cure=f"remove the folder {found.path} lies in and start again; or {WITHOUT_PACKAGES}",
        )
    return found
