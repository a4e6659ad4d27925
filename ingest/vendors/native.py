"""The codec of sensors that speak our own format, also when a network server carries it. Pure."""

from core.occupancy import ABSENT, Decoded, PayloadError
from ingest.envelopes.native import read_native
from ingest.envelopes.uplink import EnvelopeError


def decode_native(payload: bytes, f_port: int | None) -> Decoded:  # noqa: ARG001 - as every codec's; ours has no ports
    """One reading as JSON. Inside an envelope it is dated by the envelope.

    Raises:
        PayloadError: it is no reading.
    """
    try:
        reading = read_native(payload, "")
    except EnvelopeError as error:
        raise PayloadError(error.detail) from error
    telemetry = reading.telemetry
    said = {
        "at": reading.at_ms,
        "seq": None if reading.seq == ABSENT else reading.seq,
        "boot": None if reading.boot == ABSENT else reading.boot,
        "battery_mv": telemetry.battery_mv,
        "rssi_dbm": telemetry.rssi_dbm,
        "temperature_c": telemetry.temperature_c,
    }
    fields: dict[str, object] = {"kind": reading.kind.value, "occupied": reading.occupied}
    fields |= {name: value for name, value in said.items() if value is not None}
    return Decoded(occupied=reading.occupied, kind=reading.kind, telemetry=telemetry, fields=fields)
