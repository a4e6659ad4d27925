"""What network servers and carriers wrap around a simulated sensor's bytes, and where they publish it. Pure.

Our own envelope, single and as a gateway's array, is ``core.wire``'s, which both sides know.
"""

from collections.abc import Callable, Mapping
from typing import Final

from core.wire import Envelope
from simulator.envelopes.chirpstack import wrap_chirpstack
from simulator.envelopes.frame import Frame, Message
from simulator.envelopes.nbiot import push_nbiot
from simulator.envelopes.senml import pack_senml
from simulator.envelopes.thingpark import wrap_thingpark
from simulator.envelopes.things_stack import wrap_things_stack

NETWORK_SERVERS: Final[Mapping[Envelope, Callable[[Frame], Message]]] = {
    Envelope.CHIRPSTACK: wrap_chirpstack,
    Envelope.THINGS_STACK: wrap_things_stack,
    Envelope.THINGPARK: wrap_thingpark,
}
"""Who carries LoRaWAN frames."""

__all__ = ["NETWORK_SERVERS", "Frame", "Message", "pack_senml", "push_nbiot"]
