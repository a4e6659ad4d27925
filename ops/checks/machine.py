"""Looking at the machine: interpreter, packages, limits, time zones, and what the browser tests need."""

import importlib.metadata
import importlib.util
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from billing.receipts.fonts import FontMissingError, font_of
from ops.bootstrap import PROJECT, RUNTIME_LOCK
from ops.checks.finding import Finding, ok, warn

VIEWERS = 5_000
"""Live connections that one api process is to carry, each an open file."""


def check_machine() -> Iterator[Finding]:
    """Everything that does not depend on an installation."""
    yield ok("python", f"{platform.python_version()} ({sys.executable})")
    yield check_packages()
    yield check_open_files()
    yield check_time_zones()
    yield check_paper()
    yield check_browser()


def check_packages() -> Finding:
    """Whether the installed packages are those of the lock file."""
    lock = PROJECT / RUNTIME_LOCK
    if not lock.exists():
        return ok("packages", "installed from a wheel, not from the lock file")
    wanted = dict(re.findall(r"^([\w.-]+)==([\w.+-]+)(?= \\$)", lock.read_text(), re.MULTILINE))
    have = {name: _installed(name) for name in wanted}
    other = [f"{name} {have[name] or 'missing'}" for name, version in wanted.items() if have[name] != version]
    if other:
        return warn(
            "packages",
            f"{len(other)} of {len(wanted)} differ from {RUNTIME_LOCK}: {', '.join(other[:5])}",
            "run ./parking, which brings the environment to the lock file",
        )
    return ok("packages", f"{len(wanted)} as in {RUNTIME_LOCK}, in {sys.prefix}")


def check_open_files() -> Finding:
    """Whether one process may hold enough connections; the processes raise their own limit up to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < VIEWERS + 1_000:
        return warn(
            "open files",
            f"{soft}, at most {hard}: too few for {VIEWERS} live viewers",
            "ulimit -Hn 65536 (as root), or LimitNOFILE=65536 in the unit file",
        )
    return ok("open files", f"{soft}, can be raised to {hard if hard != resource.RLIM_INFINITY else 'any number'}")


def check_time_zones() -> Finding:
    """Whether the database will find time zones: Debian's PostgreSQL reads the system's own."""
    if Path("/usr/share/zoneinfo/Asia/Shanghai").exists():
        return ok("time zones", "/usr/share/zoneinfo")
    return warn("time zones", "none in /usr/share/zoneinfo, which PostgreSQL reads", "apt-get install tzdata")


def check_paper() -> Finding:
    """Whether receipts can be printed."""
    chosen = os.environ.get("PARKING_FONT_FILE")
    try:
        return ok("receipts on paper", str(font_of(Path(chosen) if chosen else None).path))
    except FontMissingError as missing:
        return warn("receipts on paper", missing.message, f"apt-get install {missing.facts['package']}")


def missing_browser_packages() -> list[str]:
    """Debian's packages without which the browser tests cannot run; empty where they can."""
    missing = [] if find_chromium() else ["chromium"]
    return missing if _has_chinese_font() else [*missing, "fonts-noto-cjk"]


def find_chromium() -> str | None:
    """The path of an installed Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def check_browser() -> Finding:
    """Whether the browser tests can run."""
    missing = missing_browser_packages()
    if missing:
        return warn(
            "browser tests", f"not possible without {' and '.join(missing)}", f"apt-get install {' '.join(missing)}"
        )
    return ok("browser tests", f"{find_chromium()}, a font with Chinese characters")


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return any(Path("/usr/share/fonts").rglob("*CJK*"))
    fonts = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
    return bool(fonts.stdout.strip())
