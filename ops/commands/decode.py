"""`parking decode`: what a sensor's payload says under a codec. Needs no database."""

import json
from typing import Annotated

import typer

from core.occupancy import PayloadError
from ingest.vendors import CODECS, decode_payload

app = typer.Typer()


@app.command(epilog=f"Codecs: {', '.join(CODECS)}.")
def decode(
    codec: Annotated[str, typer.Argument(help="The layout that the sensor is configured with, see below.")],
    payload: Annotated[str, typer.Argument(metavar="HEX", help='The application payload; "" for an empty one.')],
    port: Annotated[int | None, typer.Option(min=0, max=255, help="The LoRaWAN port, where it has a meaning.")] = None,
) -> None:
    """Print the decoded payload as JSON; exit with 2 and the refusal when it cannot be read."""
    try:
        decoded = decode_payload(codec, _bytes_of(payload), port)
    except PayloadError as refusal:
        typer.echo(f"refused: {refusal}", err=True)
        raise typer.Exit(2) from refusal
    typer.echo(json.dumps(decoded.fields, ensure_ascii=False))


def _bytes_of(text: str) -> bytes:
    """The bytes that ``text`` writes in hexadecimal, in either case.

    Raises:
        PayloadError: it is not hexadecimal, or ends with half a byte.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise PayloadError(f"the payload is not hexadecimal: {error}") from error
