"""A city of any size laid out as a plain grid of car parks: for measurements, not for looking at. Pure."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, TextIO

from simulator.cities.plane import Plane
from simulator.cities.sensors import SensorIds
from simulator.makes import MAKES

Feature = dict[str, Any]

SPACES_A_LOT = 50
_ROW = 25
_WIDTH, _DEPTH, _AISLE = 2.5, 5.3, 6.0
_PITCH = (100.0, 60.0)
"""From one lot's corner to the next, east and north, metres."""
_OTHERS = 3
_MARKS = ("standard",) * 46 + ("accessible", "ev_charging", "ev_charging", "large")


def grid_features(spaces: int, seed: int = 1, *, mixed: bool = False) -> Iterator[Feature]:
    """The features of a city of ``spaces`` spaces, 50 a lot, one at a time.

    Args:
        spaces: how many; each has a sensor with its own id.
        seed: decides whom spaces are marked for, nothing else.
        mixed: let every fourth lot have sensors of another make than ours, all makes in turn.
    """
    makes = tuple(MAKES)
    plane, random, sensors = Plane(120.892, 29.506), Random(seed), SensorIds(series=2)
    lots = -(-spaces // SPACES_A_LOT)
    across = max(1, round((lots * _PITCH[1] / _PITCH[0]) ** 0.5))
    digits = len(str(lots))
    for number in range(lots):
        east, north = (number % across - across / 2) * _PITCH[0], (number // across - lots / across / 2) * _PITCH[1]
        code = f"L{number + 1:0{digits}}"
        other = {"codec": makes[number // 4 % len(makes)]} if mixed and number % 4 == _OTHERS else {}
        yield _lot(code, number + 1, _rectangle(plane, east - 1, north - 1, _ROW * _WIDTH + 2, 2 * _DEPTH + _AISLE + 2))
        for place in range(min(SPACES_A_LOT, spaces - number * SPACES_A_LOT)):
            row, column = divmod(place, _ROW)
            outline = _rectangle(plane, east + column * _WIDTH, north + row * (_DEPTH + _AISLE), _WIDTH, _DEPTH)
            yield {
                "type": "Feature",
                "properties": {
                    "kind": "space",
                    "code": f"{code}-{place + 1:02}",
                    "lot": code,
                    "category": random.choice(_MARKS),
                    "sensor_id": sensors.next("dev-eui"),
                    **other,
                },
                "geometry": outline,
            }


def write_grid(spaces: int, file: TextIO, seed: int = 1, *, mixed: bool = False) -> None:
    """The whole city as a file, a feature a line, written as it is made."""
    file.write('{"type":"FeatureCollection","features":[')
    for number, feature in enumerate(grid_features(spaces, seed, mixed=mixed)):
        file.write(",\n" if number else "\n")
        json.dump(feature, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n]}\n")


def grid_city(spaces: int, seed: int = 1) -> dict[str, Any]:
    """The whole city as a FeatureCollection; large ones take memory: 230 000 spaces some 400 MB."""
    return {"type": "FeatureCollection", "features": list(grid_features(spaces, seed))}


def _lot(code: str, number: int, outline: dict[str, Any]) -> Feature:
    return {
        "type": "Feature",
        "properties": {
            "kind": "lot",
            "code": code,
            "name": f"停车场 {number}（虚构）",
            "name_en": f"Car Park {number} (invented)",
            "lot_kind": "off_street",
            "tariff": "xinchang-kerb",
        },
        "geometry": outline,
    }


def _rectangle(plane: Plane, east: float, north: float, width: float, depth: float) -> dict[str, Any]:
    west_lon, south_lat = plane.degrees(east, north)
    east_lon, north_lat = plane.degrees(east + width, north + depth)
    ring = [[west_lon, south_lat], [east_lon, south_lat], [east_lon, north_lat], [west_lon, north_lat]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
