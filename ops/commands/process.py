"""``parking ingest | worker | api``: one process each, with the running installation's addresses filled in."""

import os
import runpy

import typer

from ops.installation import environment

app = typer.Typer(no_args_is_help=True)


@app.command()
def ingest() -> None:
    """Readings from the broker into the database: exactly once, acknowledged after the commit."""
    _run("ingest")


@app.command()
def worker() -> None:
    """Scheduled work: bills ended sessions, watches, retains; copies of it stand by."""
    _run("worker")


@app.command()
def api() -> None:
    """HTTP, the live stream and the pages."""
    _run("api")


def _run(process: str) -> None:
    module = {"ingest": "ingest", "worker": "ops.worker", "api": "api"}[process]
    os.environ.update(environment(process))
    runpy.run_module(module, run_name="__main__", alter_sys=True)
