"""Small city files to simulate, and what a simulation of them must send."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from core.wire import parse_instant
from simulator.faults import Faults, fate_of
from simulator.sensors import SensedCity, read_city
from simulator.truth import Header
from simulator.world import Event, events

SHANGHAI = ZoneInfo("Asia/Shanghai")

_NAMES = ("人民路", "城西小学", "客运站", "风景区", "新村", "停车场")


def city_file(*, spaces: int, lots: int = 1, prefix: str = "s", heartbeat_seconds: int = 3_600) -> dict[str, Any]:
    """A city file that can be imported: lots side by side, each space with its sensor ``{prefix}-{number}``."""
    features = [_lot(number) for number in range(lots)]
    for number in range(spaces):
        lon, lat = 120.9 + (number % lots) * 0.01 + (number // lots % 100) * 5e-5, 29.5 + number // lots // 100 * 1e-4
        corners = [[lon, lat], [lon + 2e-5, lat], [lon + 2e-5, lat + 5e-5], [lon, lat + 5e-5], [lon, lat]]
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "kind": "space",
                    "code": f"L{number % lots}-{number // lots + 1:03d}",
                    "lot": f"L{number % lots}",
                    "category": "standard",
                    "sensor_id": f"{prefix}-{number}",
                    "heartbeat_seconds": heartbeat_seconds,
                },
                "geometry": {"type": "Polygon", "coordinates": [corners]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def sent_until(city: SensedCity, header: Header, until_ms: int) -> Iterator[Event]:
    """Every event whose reading was sent up to an instant, by the world alone."""
    faults = Faults(repeat=header.repeat, late=header.late, lost=header.lost, late_up_to_ms=header.late_up_to_ms)
    stream = events(city, seed=header.seed, begins_ms=parse_instant(header.begins_at), zone=ZoneInfo(header.zone))
    for event in stream:
        if event.at_ms > until_ms:
            return
        if fate_of(event, faults, seed=header.seed).send_ms:
            yield event


def sensed(*, spaces: int, lots: int = 6) -> SensedCity:
    """The sensors of such a city; six lots have one of each rhythm that a name can bring."""
    return read_city(city_file(spaces=spaces, lots=lots))


def _lot(number: int) -> dict[str, Any]:
    lon = 120.9 + number * 0.01
    return {
        "type": "Feature",
        "properties": {
            "kind": "lot",
            "code": f"L{number}",
            "name": _NAMES[number % len(_NAMES)],
            "name_en": f"Lot {number}",
            "lot_kind": "off_street" if number % 6 == 5 else "on_street",
            "tariff": "xinchang-kerb",
        },
        "geometry": {"type": "Point", "coordinates": [lon, 29.5]},
    }
