"""Every maker's payload layout by the codec name that a sensor is configured with. Pure.

A codec is never guessed from the bytes: two layouts may share lengths and ports and mean different things.
"""

from collections.abc import Callable, Mapping
from typing import Final

from core.occupancy import Decoded, PayloadError
from ingest.vendors.bosch import decode_tps110_029, decode_tps110_039
from ingest.vendors.libelium import decode_fw1, decode_fw2
from ingest.vendors.milesight import decode_em400_mud
from ingest.vendors.moko import decode_lw009
from ingest.vendors.native import decode_native
from ingest.vendors.nwave import decode_ncc405, decode_nps310, decode_nps405
from ingest.vendors.pni import decode_placepod
from ingest.vendors.tekzitel import decode_tekzipark

Codec = Callable[[bytes, int | None], Decoded]
"""Payload and port (None where the envelope has none) to what it says, or ``PayloadError`` and nothing else."""

CODECS: Final[Mapping[str, Codec]] = {
    "native": decode_native,
    "bosch-tps110-fw0.29": decode_tps110_029,
    "bosch-tps110-fw0.39": decode_tps110_039,
    "nwave-nps310": decode_nps310,
    "nwave-nps405": decode_nps405,
    "nwave-ncc405": decode_ncc405,
    "tekzitel-tekzipark": decode_tekzipark,
    "pni-placepod": decode_placepod,
    "moko-lw009": decode_lw009,
    "libelium-parking-fw1": decode_fw1,
    "libelium-parking-fw2": decode_fw2,
    "milesight-em400-mud": decode_em400_mud,
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
