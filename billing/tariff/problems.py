"""What is wrong with a price notice, where, and which stay shows it; words that nearly fit are named. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails

from billing.tariff.document import TariffDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason not to publish a notice."""

    at: str
    """Where in the document, such as ``plans.kerb.bands.0.tiers.1``; empty for the whole of it."""
    what: str
    shows: str = ""
    """A worked example: a stay and what goes wrong with it."""

    def __str__(self) -> str:
        place = f"{self.at}: " if self.at else ""
        example = f" (for example: {self.shows})" if self.shows else ""
        return f"{place}{self.what}{example}"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """``did you mean 'x'?``, or the words there are where none is near."""
    known = sorted(words)
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"


def problem_of(error: ErrorDetails) -> Problem:
    """What the reader of a document found wrong with its form, in a person's words."""
    place = [str(step) for step in error["loc"] if step != "[key]"]
    context = error.get("ctx") or {}
    match error["type"]:
        case "extra_forbidden":
            word = place[-1]
            what = f"there is no field {word!r} here; {did_you_mean(word, _fields_at(place[:-1]))}"
        case "missing":
            what = "this field is needed"
        case "literal_error":
            what = f"{error['input']!r} is none of {context.get('expected', 'the known words')}"
            what += _nearest_literal(error["input"], str(context.get("expected", "")))
        case "int_type" | "int_from_float":
            what = f"{error['input']!r} is no whole number; amounts are whole fen and times whole minutes"
        case _:
            what = f"{error['input']!r}: {error['msg']}"
    return Problem(at=".".join(place), what=what)


def _nearest_literal(written: object, expected: str) -> str:
    near = get_close_matches(str(written), [word.strip(" '") for word in expected.replace(" or ", ",").split(",")], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _fields_at(place: list[str]) -> list[str]:
    """The names of the fields that the document's schema allows at a place."""
    return list(schema_at(place).get("properties", {}))


def schema_at(place: Iterable[str | int]) -> dict[str, Any]:
    """The part of the document's schema that describes a place in it; empty where nothing is known there."""
    schema = _schema()
    definitions: dict[str, Any] = schema["$defs"]
    here = schema
    for step in place:
        here = _meant(here, definitions)
        named = [*here.get("patternProperties", {}).values(), here.get("additionalProperties"), here.get("items")]
        known = here.get("properties", {}).get(str(step)) or next((one for one in named if one), None)
        here = known or next(iter(here.get("prefixItems", ())), {})
    return _meant(here, definitions)


@cache
def _schema() -> dict[str, Any]:
    return TariffDocument.model_json_schema()


def _meant(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """What a schema stands for, through references and "or nothing"."""
    while True:
        if "$ref" in schema:
            schema = definitions[str(schema["$ref"]).rsplit("/", maxsplit=1)[-1]]
        elif "anyOf" in schema:
            schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        elif "allOf" in schema:
            schema = schema["allOf"][0]
        else:
            return schema
