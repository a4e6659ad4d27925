"""``parking simulate``: the simulator beside a running installation, its addresses filled in."""

import functools
import os
from typing import Any

import typer

from ops.installation import Told, environment
from ops.state import State
from ops.verify import installation_name
from simulator.command import show_scenarios, simulate
from simulator.scenarios import load_scenario

app = typer.Typer(add_completion=False)


@functools.wraps(simulate)
def simulate_here(**options: Any) -> None:
    """As ``python -m simulator``, but broker, api, state folder and installation need not be named."""
    if options["list_"]:
        show_scenarios()
        return
    if options["scenario"]:
        load_scenario(options["scenario"])  # a mistake in it needs no installation to be told
    if not os.environ.get("PARKING_MQTT_URL"):
        os.environ.update(environment("simulate"))
    state = State.find()
    os.environ["PARKING_STATE_DIR"] = str(state.root)
    told = Told.find(state)
    options["api_url"] = options["api_url"] or (told.api_url if told else None)
    options["installation"] = options["installation"] or installation_name(state)
    simulate(**options)


app.command(name="simulate")(simulate_here)
