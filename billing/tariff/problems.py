"""What is wrong with a price notice, where, and which stay shows it; words that nearly fit are named. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from pydantic_core import ErrorDetails

from billing.tariff.document import TariffDocument

LONGEST_SHOWN: Final = 80
"""Characters of what was written that a problem repeats."""


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


def problems_of(errors: Sequence[ErrorDetails]) -> list[Problem]:
    """What the reader of a document found wrong with its form, in a person's words.

    A list whose only entry cannot be read is also told to be empty: what holds something wrong is not wrong itself.
    """
    holds = {error["loc"][:depth] for error in errors for depth in range(1, len(error["loc"]))}
    return [_problem_of(error) for error in errors if error["loc"] not in holds]


def _problem_of(error: ErrorDetails) -> Problem:
    place = [_short(str(step)) for step in error["loc"] if step != "[key]"]
    written = _short(repr(error["input"]))
    context = error.get("ctx") or {}
    match error["type"]:
        case "extra_forbidden":
            word = place[-1]
            what = f"there is no field {word!r} here; {did_you_mean(word, _fields_at(place[:-1]))}"
        case "missing":
            what = "this field is needed"
        case "literal_error":
            what = f"{written} is none of {context.get('expected', 'the known words')}"
            what += _nearest_literal(error["input"], str(context.get("expected", "")))
        case "int_type" | "int_from_float":
            what = f"{written} is no whole number; amounts are whole fen and times whole minutes"
        case "model_type":
            what = f"{written} is no JSON object: fields in braces are needed"
        case "too_short":
            what = f"{written} is empty: at least one is needed"
        case "json_invalid":
            what = f"this is no JSON document: {context.get('error', error['msg'])}"
        case "value_error":
            what = f"{written}: {context.get('error', error['msg'])}"
        case _:
            what = f"{written}: {error['msg']}"
    return Problem(at=".".join(place), what=what)


def _short(text: str) -> str:
    """The beginning of what somebody wrote: enough to find it again, on one line."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


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
