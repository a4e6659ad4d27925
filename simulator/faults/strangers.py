"""Messages nobody asked for: unknown sensors, garbage, and claims in the name of others. Pure.

None of them may become a reading that counts. Which user publishes them does not matter here: that a broker keeps each
user to its own topics is the broker's part, and these get as far as the readers behind it.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from core.clock import instant, rfc3339
from core.wire import MAX_READINGS, chirpstack_topic, gateway_topic, reading_topic, unregistered_topic
from simulator.dice import Dice, key_of
from simulator.envelopes.chirpstack import APPLICATION
from simulator.envelopes.frame import Message, encode
from simulator.sensors import Watched

_HOUR_MS: Final = 3_600_000
_NOISE_BYTES: Final = 24
_NOBODYS_EUI: Final = "00005e00000000ff"
_YEAR_2001_MS: Final = 978_307_200_000


class Intrusion(NamedTuple):
    """One message that should never have come."""

    at_ms: int
    what: str
    message: Message
    victim: Watched | None
    """In whose name it comes; None: in that of somebody nobody knows."""


def intrusions(watched: Sequence[Watched], *, an_hour: float, seed: int, begins_ms: int) -> Iterator[Intrusion]:
    """All of them in order of time, without end; none at all at a rate of 0."""
    if an_hour <= 0:
        return
    dice = Dice(key_of(seed, "strangers", begins_ms))
    at_ms = begins_ms
    number = 0
    while True:
        at_ms += 1 + int(dice.exponential() * _HOUR_MS / an_hour)
        victim = watched[int(dice.uniform() * len(watched))]
        what = _TRICKS[number % len(_TRICKS)]
        number += 1
        yield Intrusion(
            at_ms, what, _message(what, victim, at_ms, dice), None if what.startswith("unknown") else victim
        )


_TRICKS: Final = (
    "unknown sensor",
    "claimed without a user",
    "garbage",
    "unknown sensor, unregistered",
    "cut short",
    "clock of 2001",
    "topic of another",
    "too many readings",
    "bytes of no make",
)


def _message(what: str, victim: Watched, at_ms: int, dice: Dice) -> Message:
    own_topic = reading_topic(victim.lot, victim.sensor)
    lie = {"seq": 1, "boot": 1, "at": at_ms, "occupied": dice.uniform() < 0.5, "kind": "change"}  # noqa: PLR2004 - a coin
    stranger = f"stranger-{int(dice.uniform() * 1_000):03}"
    noise = bytes(int(dice.uniform() * 256) for _ in range(_NOISE_BYTES))
    claims = {
        "unknown sensor": reading_topic(victim.lot, stranger),
        "unknown sensor, unregistered": unregistered_topic(stranger),
        "claimed without a user": unregistered_topic(victim.sensor),
    }
    nonsense = {
        "garbage": noise,
        "cut short": encode(lie)[: 8 + int(dice.uniform() * 20)],
        "clock of 2001": encode(lie | {"at": _YEAR_2001_MS + at_ms % _HOUR_MS}),
    }
    if what in claims:
        return Message(claims[what], encode(lie))
    if what in nonsense:
        return Message(own_topic, nonsense[what])
    if what == "too many readings":
        elements = [lie | {"sensor": victim.sensor}] * (MAX_READINGS + 1)
        return Message(gateway_topic(victim.lot, stranger), encode(elements))
    said_to_be = "00005e0000000000" if what == "topic of another" else _NOBODYS_EUI
    event = {
        "deviceInfo": {"devEui": _NOBODYS_EUI},
        "time": rfc3339(instant(at_ms)),
        "devAddr": "00000000",
        "fCnt": 1,
        "fPort": 99,
        "data": b64encode(noise).decode(),
    }
    return Message(chirpstack_topic(APPLICATION, said_to_be), encode(event))
