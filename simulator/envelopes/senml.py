"""A SenML pack (RFC 8428) as a sensor publishes it itself. Pure."""

from core.wire import senml_topic
from simulator.envelopes.frame import Message, encode
from simulator.makes.saying import Saying


def pack_senml(sensor: str, saying: Saying) -> Message:
    """The pack on ``parking/{sensor_id}/senml``: state, temperature and battery of one instant."""
    records = [
        {"bn": f"urn:dev:mac:{sensor}_", "bt": saying.at_ms / 1_000, "bver": 10}
        | {"n": "occupied", "vb": saying.occupied},
        {"n": "temp", "u": "Cel", "v": round(saying.temperature_c, 1)},
        {"n": "battery", "u": "V", "v": saying.battery_mv / 1_000},
    ]
    return Message(senml_topic(sensor), encode(records))
