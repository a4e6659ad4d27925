"""From the bytes of a city file to a city, or to everything that is wrong with them. Pure."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.city.fields import NAME_LIMIT, shown
from core.city.gathering import Gathering
from core.city.model import CityFile
from core.city.problems import Problem, Slug

_DATUMS = ("CRS84", ":4326", ":4490")
"""Ends of the names of WGS-84 and of CGCS2000, which is the same to well under a metre."""

_FILE = "the file"


@dataclass(frozen=True, slots=True)
class ParsedCity:
    """The city, unless ``errors`` say why there is none; ``warnings`` stop nothing."""

    city: CityFile | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def parse_city(
    source: bytes | Mapping[str, Any],
    *,
    tariffs: Collection[str] | None = None,
    codecs: Collection[str] | None = None,
) -> ParsedCity:
    """Read a city file; whatever the input, the answer is a value.

    Args:
        source: the file's bytes (UTF-8 JSON), or the object they hold.
        tariffs: codes of the price notices that a lot may name; None to leave that unchecked.
        codecs: names of the codecs that a space may name; None to leave that unchecked.
    """
    problems: list[Problem] = []
    gathered = Gathering(problems.append)
    collection = _load(source, problems.append) if isinstance(source, bytes) else source
    if not problems and _is_collection(collection, problems.append):
        for index, feature in enumerate(collection["features"]):
            gathered.read(index, feature)
        gathered.check_codes(tariffs, codecs)
        gathered.check_places()
    errors = tuple(problem for problem in problems if not problem.is_warning)
    warnings = tuple(problem for problem in problems if problem.is_warning)
    return ParsedCity(None if errors else gathered.city_file(_attribution(collection)), errors, warnings)


def _load(source: bytes, note: Callable[[Problem], None]) -> Any:
    """The JSON value, or None after noting why there is none."""
    try:
        return json.loads(source.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        why = f"byte {error.start} is not UTF-8{_other_encoding(source)}"
        _note(note, Slug.NOT_UTF8, f"line {line}", why, "Save the file as UTF-8.")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _note(note, Slug.NOT_JSON, where, f"it is not JSON: {error.msg}", "Correct the file there.")
    except (RecursionError, ValueError) as error:  # nested too deeply; a number of thousands of digits
        why = f"it cannot be read as JSON: {error}"
        _note(note, Slug.NOT_JSON, _FILE, why, "A city file is a plain GeoJSON FeatureCollection.")
    return None


def _is_collection(value: Any, note: Callable[[Problem], None]) -> bool:
    """Whether it is a FeatureCollection in our datum; notes why not."""
    if (
        not isinstance(value, Mapping)
        or value.get("type") != "FeatureCollection"
        or not isinstance(value.get("features"), list | tuple)
    ):
        why = "it is no GeoJSON FeatureCollection"
        cure = 'Write {"type": "FeatureCollection", "features": [...]}.'
        _note(note, Slug.NOT_A_FEATURE_COLLECTION, _FILE, why, cure)
        return False
    datum = _datum(value.get("crs"))
    if datum is not None and not datum.endswith(_DATUMS):
        why = f"its member crs names {shown(datum)}"
        _note(note, Slug.WRONG_DATUM, _FILE, why, "Convert the coordinates to WGS-84 and remove crs.")
        return False
    return True


def _datum(crs: object) -> str | None:
    """The name in a ``crs`` member as GeoJSON had it before RFC 7946; None without one."""
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    name = properties.get("name") if isinstance(properties, Mapping) else None
    return name if isinstance(name, str) else "something unreadable"


def _attribution(collection: Any) -> str | None:
    text = collection.get("attribution") if isinstance(collection, Mapping) else None
    return text.strip() if isinstance(text, str) and text.isprintable() and 0 < len(text) <= 5 * NAME_LIMIT else None


def _other_encoding(source: bytes) -> str:
    try:
        source.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return " (it looks like GBK)"


def _note(note: Callable[[Problem], None], slug: Slug, where: str, why: str, cure: str) -> None:
    note(Problem(slug=slug, where=where, why=why, cure=cure))
