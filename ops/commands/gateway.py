"""``parking gateway``: the simulated WeChat Pay and Alipay beside an installation."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ops.gateway import find_gateway_url, folder_of, gateway_of
from ops.state import State
from simulator.gateway.__main__ import serve
from simulator.gateway.keys import merchant_settings
from simulator.gateway.parts import DATABASE

app = typer.Typer()


@app.command()
def gateway(
    *,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Unset: one that is free, remembered.")] = None,
    script: Annotated[Path | None, typer.Option(help="A script of faults, JSON.", exists=True, dir_okay=False)] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print what its merchant sets, as shell lines with secrets, and end.")
    ] = False,
) -> None:
    """WeChat Pay and Alipay, simulated: real protocols and signatures, no real money, a page to pay by clicking.

    `eval "$(parking gateway --settings)"` before `parking up` makes that installation its merchant.
    """
    state = State.find()
    if settings:
        if find_gateway_url(state) is None:
            gateway_of(state, port)
        for name, value in merchant_settings(folder_of(state)).items():
            typer.echo(f"export {name}={shlex.quote(value)}")
        return
    here = gateway_of(state, port)
    typer.echo(f"Gateway    {here.url}")
    typer.echo("Ctrl-C stops it; what it collected is kept.")
    serve(folder=here.folder, port=here.port, book=DATABASE, script=script)
