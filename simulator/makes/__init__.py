"""Every make of sensor by the codec name a city file gives it, as bytes that the real one would send. Pure.

Nothing here is shared with the decoders: what these say and what is read from it must agree by the makers' documents.
"""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.makes.bosch import say_029, say_039
from simulator.makes.libelium import say_fw1, say_fw2
from simulator.makes.milesight import say_em400_mud
from simulator.makes.moko import say_lw009
from simulator.makes.nwave import say_nps310, say_nps405
from simulator.makes.pni import say_placepod
from simulator.makes.saying import Payload, Saying
from simulator.makes.tekzitel import say_tekzipark

Make = Callable[[Saying], Payload]

MAKES: Final[Mapping[str, Make]] = {
    "bosch-tps110-fw0.29": say_029,
    "bosch-tps110-fw0.39": say_039,
    "nwave-nps310": say_nps310,
    "nwave-nps405": say_nps405,
    "tekzitel-tekzipark": say_tekzipark,
    "pni-placepod": say_placepod,
    "moko-lw009": say_lw009,
    "libelium-parking-fw1": say_fw1,
    "libelium-parking-fw2": say_fw2,
}
"""Those that say whether a space is occupied."""

MUTE_MAKES: Final[Mapping[str, Make]] = {"milesight-em400-mud": say_em400_mud}
"""Those that watch a space and leave it to the reader what they saw."""

__all__ = ["MAKES", "MUTE_MAKES", "Make", "Payload", "Saying"]
