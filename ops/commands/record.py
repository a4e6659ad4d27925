"""``parking record``: keep the raw traffic of an installation in a file."""

import signal
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.errors import InvalidError
from ops.installation import environment, installation_clock
from ops.recording.recorder import record as record_messages

app = typer.Typer(add_completion=False)


@app.command(name="record")
def record(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to; unset: traffic-<now>.jsonl.gz in this folder.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop by itself; unset: until Ctrl-C.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Record every message that sensors and servers publish, as it comes, for `parking replay FILE`.

    Beside a running installation, which notices nothing of it. The file holds sensors' messages: no plate, no money.
    """
    path = output or Path(f"traffic-{datetime.now().astimezone():%Y%m%d-%H%M%S}.jsonl.gz")
    if path.exists() and not force:
        raise InvalidError(f"{path} is there already; choose another name, or --force", file=str(path))
    url = environment("ingest")["PARKING_MQTT_URL"]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ends_at = None if minutes is None else time.monotonic() + 60 * minutes
    console = Console(stderr=True)
    with console.status(f"recording to {path}; Ctrl-C ends it") as status:
        count = record_messages(
            url,
            path,
            installation_clock(),
            until=lambda: stop.is_set() or (ends_at is not None and time.monotonic() >= ends_at),
            show=lambda messages, size: status.update(f"{messages:,} messages, {size / 1e6:.1f} MB in {path}"),
        )
    console.print(f"{count:,} messages in {path}. Play them: parking replay {path} --state OTHER", highlight=False)
