"""The messages of a benchmark: a city's sensors, some changing, most alive, a few heard twice. Pure."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

CHANGES: Final = 0.3
REPEATS: Final = 0.01
STEP_MS: Final = 20
"""Between two readings of the city: fifty a second."""
READINGS_A_GATEWAY_MESSAGE: Final = 50
GATEWAYS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Messages to publish, and what must be stored when all have been written."""

    messages: Sequence[tuple[str, bytes]]
    readings: int
    """With repeats."""
    distinct: int
    """Without."""


def sensor_code(number: int) -> str:
    """The sensor of the space of that number, from 1 on."""
    return f"bench-{number:06}"


def single_load(*, spaces: int, readings: int, until_ms: int, seed: int = 1) -> Load:
    """Each reading a message of its own on its sensor's topic."""
    drawn = _draw(spaces=spaces, readings=readings, until_ms=until_ms, seed=seed)
    messages = [(f"parking/bench/{sensor}/up", json.dumps(reading).encode()) for sensor, reading in drawn]
    return Load(messages=messages, readings=readings, distinct=len(set(messages)))


def gateway_load(*, spaces: int, readings: int, until_ms: int, seed: int = 1) -> Load:
    """The same readings, fifty in a message of a gateway."""
    drawn = _draw(spaces=spaces, readings=readings, until_ms=until_ms, seed=seed)
    elements = [json.dumps({**reading, "sensor": sensor}) for sensor, reading in drawn]
    packs = [
        elements[first : first + READINGS_A_GATEWAY_MESSAGE]
        for first in range(0, len(elements), READINGS_A_GATEWAY_MESSAGE)
    ]
    messages = [
        (f"parking/bench/gateways/g{number % GATEWAYS}/up", f"[{','.join(pack)}]".encode())
        for number, pack in enumerate(packs)
    ]
    return Load(messages=messages, readings=readings, distinct=len(set(elements)))


def _draw(*, spaces: int, readings: int, until_ms: int, seed: int) -> list[tuple[str, dict[str, Any]]]:
    rng = random.Random(seed)  # noqa: S311 - the same load every time is the point
    occupied, counts = [False] * spaces, [0] * spaces
    drawn: list[tuple[str, dict[str, Any]]] = []
    for number in range(readings):
        if drawn and rng.random() < REPEATS:
            drawn.append(drawn[-1])
            continue
        space = rng.randrange(spaces)
        is_change = rng.random() < CHANGES
        occupied[space] ^= is_change
        counts[space] += 1
        reading = {
            "seq": counts[space],
            "boot": 1,
            "at": until_ms - (readings - number) * STEP_MS,
            "occupied": occupied[space],
            "kind": "change" if is_change else "heartbeat",
            "battery_mv": 3612,
            "rssi_dbm": -97,
            "temperature_c": 21.5,
        }
        drawn.append((sensor_code(space + 1), reading))
    return drawn
