"""``parking simulate``: the simulator beside a running installation, its addresses filled in."""

import functools
import os
from typing import Any

import typer

from ops.installation import environment
from ops.state import State
from ops.verify import installation_name
from simulator.command import simulate

app = typer.Typer(add_completion=False)


@functools.wraps(simulate)
def simulate_here(**options: Any) -> None:
    """As ``python -m simulator``, but the broker, the state folder and the installation need not be named."""
    if not os.environ.get("PARKING_MQTT_URL"):
        os.environ.update(environment("simulate"))
    state = State.find()
    os.environ["PARKING_STATE_DIR"] = str(state.root)
    options["installation"] = options["installation"] or installation_name(state)
    simulate(**options)


app.command(name="simulate")(simulate_here)
