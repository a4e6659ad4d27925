"""``parking env``: the running installation's settings as shell lines."""

import shlex

import typer

from ops.gateway import find_gateway_url
from ops.installation import NotRunningError, Told, environment
from ops.state import State

app = typer.Typer()

SHOWN = ("PARKING_STATE_DIR", "PARKING_DATABASE_URL", "PARKING_MQTT_URL", "PARKING_CLOCK")


@app.command()
def env() -> None:
    """The running installation's settings as shell lines, for `eval "$(parking env)"`. They contain passwords."""
    found = environment("command")
    told = Told.find(State.find())
    if told is None:
        raise NotRunningError(
            "the services run, but no `parking up` or `parking demo` that would tell where the api is"
        )
    lines = {name: found[name] for name in SHOWN if found[name]}
    lines["PARKING_API_URL"] = told.api_url
    if gateway_url := told.gateway_url or find_gateway_url(State.find()):
        lines["PARKING_GATEWAY_URL"] = gateway_url
    for name, value in lines.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
