"""Every maker's payload layout by the codec name that a sensor is configured with. Pure.

A codec is never guessed from the bytes: two layouts may share lengths and ports and mean different things.
"""

from collections.abc import Callable, Mapping
from typing import Final

from core.occupancy import Decoded, PayloadError
from ingest.vendors.bosch import decode_tps110_029, decode_tps110_039
from ingest.vendors.native import decode_native

Codec = Callable[[bytes, int | None], Decoded]
"""Payload and port (None where the envelope has none) to what it says, or ``PayloadError`` and nothing else."""

CODECS: Final[Mapping[str, Codec]] = {
    "native": decode_native,
    "bosch-tps110-fw0.29": decode_tps110_029,
    "bosch-tps110-fw0.39": decode_tps110_039,
}


def decode_payload(codec: str, payload: bytes, f_port: int | None) -> Decoded:
    """What ``payload`` says under the layout named ``codec``.

    Raises:
        PayloadError: the layout does not allow these bytes, or there is no such layout.
    """
    decoder = CODECS.get(codec)
    if decoder is None:
        raise PayloadError(f"no codec has this name; known are {', '.join(CODECS)}")
    return decoder(payload, f_port)
