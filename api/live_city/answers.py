"""Answers as they go out: encoded once, compressed once, with a strong ETag."""

import gzip
import hashlib
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from api.live_city.picture import WORDS, LotNow, Picture
from api.live_city.registry import LotEntry, Registry, SpaceEntry, search_keys
from core.clock import instant, rfc3339
from core.geo import Bounds, bounds_of, gcj02_of, middle_of, moved, overlap

encode: Final = msgspec.json.Encoder().encode
WORTH_COMPRESSING: Final = 512
"""Smaller answers gain nothing."""


class Answer:
    """One body for everybody who asks. Both codings share one ETag: a decoded answer is the same bytes either way."""

    def __init__(self, body: bytes) -> None:
        """Keep the encoded body; the rest is computed when first wanted."""
        self.body = body
        self.sealed: dict[tuple[bool, bool], tuple[list[tuple[bytes, bytes]], bytes]] = {}
        """Headers and body as they are sent: to callers who have it already, who take it compressed."""

    @cached_property
    def etag(self) -> str:
        """A strong validator: the digest of the body."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'

    @cached_property
    def gzipped(self) -> bytes | None:
        """The compressed body, or None where that gains nothing."""
        return gzip.compress(self.body, compresslevel=6, mtime=0) if len(self.body) > WORTH_COMPRESSING else None


class Kept:
    """Answers kept for as long as what they are made of lives, each made when first asked for."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._answers: WeakKeyDictionary[object, dict[Hashable, Answer]] = WeakKeyDictionary()

    def get(self, source: object, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """The answer for ``key`` made from ``source``, which never changes."""
        kept = self._answers.setdefault(source, {})
        answer = kept.get(key)
        if answer is None:
            answer = kept[key] = make()
        return answer


def spaces_answer(registry: Registry, *, gcj02: bool = False) -> Answer:
    """``/spaces``: where every space is; changes by an import only."""
    return Answer(_collection(_space_feature(registry, space, gcj02=gcj02) for space in registry.spaces))


def lot_spaces_answer(picture: Picture, index: int, *, gcj02: bool) -> Answer:
    """``/lots/{id}/spaces``: one lot's spaces, each with its present state in a word."""
    registry, letters = picture.registry, picture.letters
    return Answer(
        _collection(
            _space_feature(registry, registry.spaces[n], gcj02=gcj02, state=WORDS[letters[n]])
            for n in registry.lots[index].positions
        )
    )


def states_body(picture: Picture, spaces_etag: str, at_ms: int | None = None) -> bytes:
    """``/spaces/state`` and the stream's snapshot: one letter a space in the order of ``/spaces``."""
    return encode(
        {
            "version": picture.version,
            "at": shown(picture.at_ms if at_ms is None else at_ms),
            "spaces_etag": spaces_etag,
            "states": picture.letters.decode(),
        }
    )


def lots_answer(
    picture: Picture, prices: dict[str, dict[str, str]], *, gcj02: bool = False, bbox: Bounds | None = None
) -> Answer:
    """``/lots``; ``prices`` holds the short price texts by tariff code."""
    return Answer(
        _collection(
            {
                "type": "Feature",
                "id": lot.id,
                "geometry": drawn(lot.geometry, gcj02=gcj02),
                "properties": lot_properties(lot, now, prices),
            }
            for lot, now in zip(picture.registry.lots, picture.lots, strict=True)
            if bbox is None or overlap(bbox, lot.bounds)
        )
    )


def city_answer(registry: Registry, *, gcj02: bool) -> Answer:
    """``/city``: the frame around the map, so that the page reads as a town."""
    city = registry.city
    bounds = _frame(registry, gcj02=gcj02)
    return Answer(
        encode(
            {
                "name": city.name,
                "name_en": city.name_en,
                "centre": middle_of(_town(registry, gcj02=gcj02) or bounds) if bounds else None,
                "zoom": TOWN_ZOOM,
                "bounds": bounds,
                "outline": drawn(city.outline, gcj02=gcj02) if city.outline else None,
                "context": {
                    "type": "FeatureCollection",
                    "features": [_context_feature(part, gcj02=gcj02) for part in city.context],
                },
                "attribution": city.attribution,
            }
        )
    )


TOWN_ZOOM: Final = 14


def lot_properties(lot: LotEntry, now: LotNow, prices: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What the public learns of a lot."""
    return {
        "id": lot.code,
        "code": lot.code,
        "name": lot.name,
        "name_en": lot.name_en,
        "kind": lot.kind,
        "source": lot.source,
        "estimated": lot.estimated,
        "capacity": lot.capacity,
        **now.counts(),
        "open_now": now.open_now,
        "trend": now.trend,
        "price_summary": prices.get(lot.tariff) if lot.tariff else None,
        "hour_fen": now.hour_fen,
        "heard_at": None if now.heard_ms is None else shown(now.heard_ms),
        "keys": lot.keys,
    }


def drawn(geometry: msgspec.Raw, *, gcj02: bool) -> msgspec.Raw:
    """An encoded geometry in the wanted datum."""
    return msgspec.Raw(encode(moved(msgspec.json.decode(geometry), gcj02_of))) if gcj02 else geometry


def shown(ms: int) -> str:
    """An instant as answers show it."""
    return rfc3339(instant(ms))


def _collection(features: Iterable[dict[str, Any]]) -> bytes:
    return encode({"type": "FeatureCollection", "features": list(features)})


def _space_feature(registry: Registry, space: SpaceEntry, *, gcj02: bool, state: str | None = None) -> dict[str, Any]:
    properties = {"code": space.code, "lot_id": registry.lots[space.lot].code, "category": space.category}
    if state is not None:
        properties["state"] = state
    return {
        "type": "Feature",
        "id": space.id,
        "geometry": drawn(space.geometry, gcj02=gcj02),
        "properties": properties,
    }


def _context_feature(part: tuple[str, str, msgspec.Raw], *, gcj02: bool) -> dict[str, Any]:
    name, what, geometry = part
    return {
        "type": "Feature",
        "geometry": drawn(geometry, gcj02=gcj02),
        "properties": {"name": name, "what": what, "keys": search_keys(name)},
    }


def _frame(registry: Registry, *, gcj02: bool) -> Bounds | None:
    """The city's outline, else whatever its lots cover."""
    if registry.city.outline is None:
        return _town(registry, gcj02=gcj02)
    return bounds_of(msgspec.json.decode(drawn(registry.city.outline, gcj02=gcj02)))


def _town(registry: Registry, *, gcj02: bool) -> Bounds | None:
    """The box that holds the middle eight tenths of the lots, so that one far out of town does not move the view."""
    middles = [middle_of(lot.bounds) for lot in registry.lots]
    if not middles:
        return None
    middles = [gcj02_of(position) for position in middles] if gcj02 else middles
    cut = len(middles) // 10
    lons, lats = (sorted(axis)[cut : len(middles) - cut] for axis in zip(*middles, strict=True))
    return lons[0], lats[0], lons[-1], lats[-1]
