"""``parking test``: every check of the project, ending in pytest's own summary."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from core.errors import UnavailableError
from ops.checks.machine import missing_browser_packages

app = typer.Typer()

ROOT: Final = Path(__file__).resolve().parents[2]

STATIC_CHECKS: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("who imports whom", ("lint-imports", "--config", "pyproject.toml", "--no-cache")),
)
"""Quick and without services; all are run, so that one look shows everything."""

TESTING_PROCESSES: Final = min(4, (os.cpu_count() or 1) + 1)
"""One more than processors, as tests mostly wait; each has a database server and a broker of its own."""

_out = Console(soft_wrap=True)


class NotACheckoutError(UnavailableError):
    """The tests are in the repository, not in an installed package."""

    slug = "not-a-checkout"


@app.command(name="test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_checks(
    context: typer.Context,
    *,
    system_packages: Annotated[
        bool, typer.Option(help="As root, install Chromium and a Chinese font for the browser tests when missing.")
    ] = True,
) -> None:
    """Format, lint, types, imports, then all tests with the real broker, database and browser.

    Further arguments are pytest's, and then only pytest runs: parking test tests/core -k fold.
    """
    if not (ROOT / "tests").is_dir():
        raise NotACheckoutError("the tests are in the repository: run ./parking test in a checkout of it")
    failed = []
    arguments = context.args
    if not arguments:
        failed = [name for name, command in STATIC_CHECKS if not _passes(name, command)]
        arguments = ["--numprocesses", str(TESTING_PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]
    if system_packages:
        _install_missing(missing_browser_packages())
    status = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    if failed:
        _out.print(f"[bold red]failed before the tests: {', '.join(failed)}[/]", highlight=False)
    raise typer.Exit(status or bool(failed))


def _passes(name: str, command: Sequence[str]) -> bool:
    _out.print(f"[bold]{name}[/]: {' '.join(command)}", highlight=False)
    began = time.monotonic()
    program, *arguments = command
    beside = Path(sys.executable).with_name(program)
    done = subprocess.run([beside, *arguments], cwd=ROOT, check=False)
    verdict = "[green]ok[/]" if done.returncode == 0 else "[bold red]failed[/]"
    _out.print(f"  {verdict} after {time.monotonic() - began:.0f} s", highlight=False)
    return done.returncode == 0


def _install_missing(packages: Sequence[str]) -> None:
    """Debian's packages, when we are root there; otherwise the tests that need them say what is missing."""
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    _out.print(
        f"installing {' and '.join(packages)} for the browser tests: Debian's packages, about 450 MB unpacked "
        "(--no-system-packages skips this)",
        highlight=False,
    )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *command], env=quiet, check=False, stdout=subprocess.DEVNULL)
        if done.returncode:
            _out.print(f"[yellow]apt-get {command[0]} failed; the browser tests will say what is missing[/]")
            return
