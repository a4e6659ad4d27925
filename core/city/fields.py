"""One feature's properties, read one by one, each refusal noted with the place and the cure. Pure."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from core.city.problems import Problem, Slug, nearest, quoted

Words = TypeVar("Words", bound=StrEnum)

CODE_LIMIT = 64
NAME_LIMIT = 200
TEXT_LIMIT = 2_000

_CODE = re.compile(r"[^\W_][\w.:\-]*")
_SHOWN = 40


class Fields:
    """The properties of one feature.

    Every reader returns the value, or a stand-in after noting a problem; ``clean`` tells whether all went well.
    A property that is null counts as absent: many tools write every column.
    """

    def __init__(self, properties: Mapping[str, Any], where: str, note: Callable[[Problem], None]) -> None:
        self._properties = properties
        self._note = note
        self.where = where
        self.clean = True

    def problem(self, slug: Slug, why: str, cure: str) -> None:
        """Note a problem of this feature."""
        problem = Problem(slug=slug, where=self.where, why=why, cure=cure)
        self.clean = self.clean and problem.is_warning
        self._note(problem)

    def expect_only(self, known: Collection[str]) -> None:
        """Refuse names that look like misspelt ones; say that the others are ignored."""
        for name in self._properties:
            if name in known:
                continue
            meant = nearest(name, [word for word in known if self._properties.get(word) is None])
            if meant:
                self.problem(Slug.UNKNOWN_PROPERTY, f"there is no property {shown(name)}", f"Is it {meant}?")
            else:
                self.problem(
                    Slug.IGNORED_PROPERTY, f"the property {shown(name)} is ignored", f"Known are {quoted(known)}."
                )

    def text(self, name: str, *, limit: int = NAME_LIMIT) -> str:
        """A required text: not blank, no control characters, at most ``limit`` characters."""
        value = self.maybe_text(name, limit=limit)
        if value is None and not self._has(name):
            self.missing(name)
        return value or ""

    def maybe_text(self, name: str, *, limit: int = NAME_LIMIT) -> str | None:
        """A text that may be absent."""
        value = self._properties.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong_type(name, value, "a text")
            return None
        fault = _fault_of_text(value, limit)
        if fault:
            self.problem(Slug.BAD_TEXT, f"{name} {fault}", f"Correct {name}.")
            return None
        return unicodedata.normalize("NFC", value.strip())

    def code(self, name: str) -> str:
        """A required code: it is printed, and part of addresses and MQTT topics."""
        value = self.maybe_code(name)
        if value is None and not self._has(name):
            self.missing(name)
        return value or ""

    def maybe_code(self, name: str) -> str | None:
        """A code that may be absent."""
        value = self._properties.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong_type(name, value, "a text")
            return None
        normal = unicodedata.normalize("NFC", value)
        if len(normal) > CODE_LIMIT or not _CODE.fullmatch(normal):
            self.problem(
                Slug.BAD_CODE,
                f"{name} {shown(value)} cannot be part of an address and of an MQTT topic",
                f"Use letters, digits and - _ . : only, a letter or digit first, at most {CODE_LIMIT} characters.",
            )
            return None
        return normal

    def declared(self, name: str) -> list[tuple[str, str]]:
        """The code a feature claims, with the place, read without judging it; empty where it claims none."""
        value = self._properties.get(name)
        return [(unicodedata.normalize("NFC", value), self.where)] if isinstance(value, str) and value else []

    def word(self, name: str, words: type[Words], default: Words | None = None) -> Words:
        """One of a few words."""
        value = self._properties.get(name)
        if value is None:
            if default is None:
                self.missing(name, f"Give one of {quoted(words)}.")
            return default or next(iter(words))
        meant = None
        if isinstance(value, str):
            try:
                return words(value)
            except ValueError:
                meant = nearest(value, words)
        self.problem(
            Slug.UNKNOWN_WORD,
            f"{name} cannot be {shown(value)}",
            f"Is it {meant}?" if meant else f"Use one of {quoted(words)}.",
        )
        return next(iter(words))

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self.maybe_whole(name, low, high)
        return default if value is None else value

    def maybe_whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number that may be absent. 60.0 is taken for 60, as many tools write it so."""
        value = self._properties.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong_type(name, value, "a whole number")
            return None
        if isinstance(value, float) and not value.is_integer():
            self._wrong_type(name, value, "a whole number")
            return None
        if not low <= value <= high:
            self.problem(Slug.OUT_OF_RANGE, f"{name} is {shown(value)}", f"Give a number from {low} to {high}.")
            return None
        return int(value)

    def maybe_instant(self, name: str) -> datetime | None:
        """An RFC 3339 instant with its offset, in UTC; may be absent."""
        value = self._properties.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong_type(name, value, "an instant such as 2026-03-01T08:00:00+08:00")
            return None
        try:
            at = datetime.fromisoformat(value)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.problem(
            Slug.BAD_INSTANT,
            f"{name} {shown(value)} is no instant with an offset",
            "Write it like 2026-03-01T08:00:00+08:00.",
        )
        return None

    def items(self, name: str, *, within: str) -> list[Any]:
        """A list that may be absent, or be the member ``within`` of an object."""
        value = self._properties.get(name)
        if isinstance(value, Mapping):
            value = value.get(within, value)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self._wrong_type(name, value, "a list")
            return []
        return list(value)

    def missing(self, name: str, cure: str = "") -> None:
        """Note that a required property is absent."""
        self.problem(Slug.MISSING_PROPERTY, f"{name} is missing", cure or f"Add {name}.")

    def _has(self, name: str) -> bool:
        return self._properties.get(name) is not None

    def _wrong_type(self, name: str, value: object, wanted: str) -> None:
        self.problem(Slug.WRONG_TYPE, f"{name} is {shown(value)}", f"Give {wanted}.")


def shown(value: object) -> str:
    """A value for a message: short, and with nothing in it that could disturb a terminal."""
    text = ascii_if_odd(repr(value) if not isinstance(value, str) else f"'{value}'")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def ascii_if_odd(text: str) -> str:
    """The text, escaped where it holds characters that print as nothing or cannot be encoded."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _fault_of_text(value: str, limit: int) -> str:
    if not value.strip():
        return "is blank"
    if len(value) > limit:
        return f"has {len(value)} characters, more than {limit}"
    odd = next((character for character in value if unicodedata.category(character) in {"Cc", "Cs"}), None)
    return f"contains the character U+{ord(odd):04X}" if odd else ""
