"""Debian's packages, fetched by ``apt-get`` into folders of our own; nothing is installed and no setting is touched.

Needs no package from outside, so that ``./parking`` can begin fetching while the virtual environment is made.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.services.debian_source import Source, derive, parse_deb822, parse_one_line
from ops.state import InstallationError, write_whole

Progress = Callable[[str], None]
"""Told what is being done, in a few words without a line end."""

PACKAGES = {"postgres": "postgresql-17-timescaledb", "mosquitto": "mosquitto"}
"""What each service is called at Debian."""

_NEEDLESS = re.compile(
    r"perl.*|libperl.*|lib.*-perl|libllvm.*|libz3-.*|locales|libc-l10n|libc-bin|passwd|login.*|debconf|adduser"
    r"|base-passwd|procps|libproc2-.*|ucf|sensible-utils|sysvinit-utils|init-system-helpers|netbase|postgresql-common.*"
    r"|postgresql-client-common|ssl-cert|openssl.*|readline-common|libpam-modules.*|libgdbm.*|libdb5.*"
    r"|libdebconfclient0|libtext-.*|libsemanage.*|libsepol.*|gcc-.*-base|libaudit-common"
)
"""Dependencies that serve installing or optional parts (Perl scripts, just-in-time compilation): not fetched."""

_PLAN_LASTS_SECONDS = 24 * 3600
_ROOM_BYTES = 700_000_000
"""Archives and programs (0.2 GB) and a database to begin with (its write-ahead log may take some more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One package as the signed index describes it."""

    package: str
    version: str
    file: str
    size_bytes: int
    sha256: str

    def is_in(self, folder: Path) -> bool:
        """Whether the folder holds it whole."""
        path = folder / self.file
        if not path.exists() or path.stat().st_size != self.size_bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


def why_unavailable() -> str | None:
    """What keeps this machine from fetching Debian's packages; None when nothing does."""
    if platform.system() != "Linux":
        return "this is not Linux"
    for program, package in (("apt-get", "apt"), ("dpkg-deb", "dpkg")):
        if shutil.which(program) is None:
            return f"there is no {program} (Debian's package {package})"
    if find_source() is None:
        return "no source of Debian's packages is set up here"
    return None


def find_source() -> Source | None:
    """This machine's Debian source, turned to the release we need."""
    release = _os_release()
    if release.get("ID") != "debian":
        return None
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    found: list[Source] = []
    for path in lists:
        if path.suffix in {".list", ".sources"} and os.access(path, os.R_OK):
            found += (parse_deb822 if path.suffix == ".sources" else parse_one_line)(path.read_text())
    return derive(found, release.get("VERSION_CODENAME", ""))


def fetch(folder: Path, services: Iterable[str], progress: Progress) -> tuple[Archive, ...]:
    """Download the services' packages with all they need into ``folder/archives``; what is there and whole stays.

    Raises: InstallationError saying what stopped it. What was fetched by then is kept for the next try.
    """
    if (why := why_unavailable()) or (source := find_source()) is None:
        raise InstallationError(f"Debian's packages cannot be fetched: {why}.", cure=WITHOUT_PACKAGES)
    if shutil.disk_usage(folder).free < _ROOM_BYTES:
        raise InstallationError(
            f"The disk of {folder} has {shutil.disk_usage(folder).free // 1_000_000} MB left,"
            f" and the database and the broker need {_ROOM_BYTES // 1_000_000} MB to begin with.",
            cure="make room, or choose a folder on another disk: --state DIR or PARKING_STATE_DIR=DIR",
        )
    apt = _Apt(folder, source)
    wanted = sorted(PACKAGES[service] for service in services)
    archives = _planned(apt, wanted) or _plan(apt, wanted, progress)
    if not _download(apt, archives, progress):
        archives = _plan(apt, wanted, progress)  # the mirror has moved on since the plan was made
        if not _download(apt, archives, progress):
            raise InstallationError(f"Debian's packages could not all be downloaded:\n{apt.last_words}", cure=TRY_AGAIN)
    return archives


WITHOUT_PACKAGES = (
    "run both in containers (docker compose -f deploy/compose.yaml up), or name a TimescaleDB and an MQTT broker"
    " of yours by PARKING_DATABASE_URL and PARKING_MQTT_URL"
)
TRY_AGAIN = f"look at the network and the disk and start again, it goes on where it stopped; or {WITHOUT_PACKAGES}"


class _Apt:
    """``apt-get`` with lists, cache, status and source of its own: it neither needs nor changes the system's."""

    def __init__(self, folder: Path, source: Source) -> None:
        """Lay out the private folders."""
        self.archives = folder / "archives"
        self.last_words = ""
        apt = folder / "apt"
        for needed in (self.archives, apt / "lists/partial", apt / "cache/archives/partial"):
            needed.mkdir(parents=True, exist_ok=True)
        write_whole(apt / "status", "")
        write_whole(apt / "debian.sources", source.render())
        write_whole(apt / "apt.conf", _APT_CONF.format(apt=apt))
        self._config = apt / "apt.conf"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run it in the archives' folder; stderr comes with stdout."""
        return subprocess.Popen(
            ["apt-get", "-c", str(self._config), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.archives,
            env={**os.environ, "LC_ALL": "C"},
            close_fds=False,  # the folder's lock goes with it, see ``unpack.holding``
        )

    def ask(self, *arguments: str) -> str:
        """Its whole output. Raises: InstallationError with its last words."""
        process = self.start(*arguments)
        output, _ = process.communicate()
        if process.returncode != 0:
            raise InstallationError(
                f"apt-get {arguments[0]} failed on a private copy of the package lists:\n{_errors_of(output)}",
                cure=TRY_AGAIN,
            )
        return output


_APT_CONF = """\
Dir::State::Lists "{apt}/lists";
Dir::State::status "{apt}/status";
Dir::State::extended_states "{apt}/extended_states";
Dir::Cache "{apt}/cache";
Dir::Cache::Archives "{apt}/cache/archives";
Dir::Etc::SourceList "{apt}/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
APT::Sandbox::User "";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Pre-Invoke;
"""


def _plan(apt: _Apt, wanted: list[str], progress: Progress) -> tuple[Archive, ...]:
    """Ask Debian which archives the packages need, and write the answer down."""
    progress("reading the list of Debian's packages (10 MB)")
    apt.ask("update", "--error-on=any")
    closure = re.findall(r"^Inst (\S+) ", apt.ask("install", "--simulate", *wanted), re.MULTILINE)
    needed = [package for package in closure if not _NEEDLESS.fullmatch(package)]
    lines = re.findall(r"^'[^']+' (\S+) (\d+) SHA256:(\w+)", apt.ask("download", "--print-uris", *needed), re.MULTILINE)
    archives = tuple(
        Archive(
            package=(parts := file.split("_"))[0],
            version=parts[1].replace("%3a", ":"),
            file=file,
            size_bytes=int(size),
            sha256=sha256,
        )
        for file, size, sha256 in lines
    )
    plan = {"wanted": wanted, "archives": [asdict(archive) for archive in archives]}
    write_whole(apt.archives / "plan.json", json.dumps(plan, indent=1))
    return archives


def _planned(apt: _Apt, wanted: list[str]) -> tuple[Archive, ...] | None:
    """The plan of a try before this one, if it is young and for the same packages."""
    path = apt.archives / "plan.json"
    try:
        if time.time() - path.stat().st_mtime > _PLAN_LASTS_SECONDS:
            return None
        plan = json.loads(path.read_text())
        return tuple(Archive(**archive) for archive in plan["archives"]) if plan["wanted"] == wanted else None
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None


def _download(apt: _Apt, archives: tuple[Archive, ...], progress: Progress) -> bool:
    """Bring the missing archives, saying how far it is; whether all are here and whole now."""
    missing = [archive for archive in archives if not archive.is_in(apt.archives)]
    if not missing:
        return True
    for archive in missing:
        (apt.archives / archive.file).unlink(missing_ok=True)
    total = sum(archive.size_bytes for archive in missing)
    process = apt.start("download", *(f"{archive.package}={archive.version}" for archive in missing))
    shown = -1
    while process.poll() is None:
        here = sum(_size(apt.archives / archive.file) for archive in missing)
        if here * 10 // total > shown:
            shown = here * 10 // total
            progress(f"downloading {len(missing)} of Debian's packages: {here / 1e6:.0f} of {total / 1e6:.0f} MB")
        time.sleep(0.1)
    apt.last_words = _errors_of(process.stdout.read() if process.stdout else "")
    return all(archive.is_in(apt.archives) for archive in missing)


def _size(path: Path) -> int:
    """Bytes of a file that may come, go or still bear its partial name."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _errors_of(output: str) -> str:
    """The lines in which apt-get says what went wrong, at most six."""
    lines = output.strip().splitlines()
    errors = [line for line in lines if line.startswith(("E:", "Err:", "W:"))] or lines
    return "\n".join(f"  {line}" for line in errors[-6:])


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
