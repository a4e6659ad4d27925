"""Small lies about a price notice: each field it writes, changed to another value it could have."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from billing.tariff.problems import schema_at

NOT_RULES = {"code", "version", "name", "notice", "label", "format", "valid_from", "valid_until", "exit_window"}
"""Fields that name things, or that decide nothing about a stay's fee."""


def mutations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each with where it is and what it became, such as ``plans.kerb.free.0.minutes=31``."""
    for place, value in _leaves(document, ()):
        for other in _others(place, value):
            changed = copy.deepcopy(document)
            _put(changed, place, other)
            yield f"{'.'.join(map(str, place))}={json.dumps(other)}", changed
    for place in _parts(document, ()):
        changed = copy.deepcopy(document)
        del _at(changed, place[:-1])[place[-1]]
        yield f"{'.'.join(map(str, place))} left out", changed


def _leaves(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in NOT_RULES:
                yield from _leaves(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*place, index))
    else:
        yield place, value


def _parts(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Whole rules in lists: a band, a free time, a cap, an exempt word."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in NOT_RULES:
            continue
        if (
            isinstance(value, list)
            and len(place)
            and place[-1] in {"bands", "free", "caps", "flats", "exempt", "day_classes"}
        ):
            yield (*place, key)
        yield from _parts(inner, (*place, key))


def _others(place: tuple[Any, ...], value: Any) -> list[Any]:
    field = place[-1]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1] if value else [1]
    if field in {"opens", "closes", "leaves_by", "leaves_from"}:
        hours, minutes = map(int, value.split(":"))
        at = hours * 60 + minutes
        return [f"{moved // 60:02d}:{moved % 60:02d}" for moved in (at + 1, at - 1) if 0 <= moved < 24 * 60]
    if field == "zone":
        return ["Asia/Tokyo", "Asia/Kolkata"]
    return [word for word in schema_at(place).get("enum", []) if word != value]


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _put(document: dict[str, Any], place: tuple[Any, ...], value: Any) -> None:
    _at(document, place[:-1])[place[-1]] = value
