"""A short YAML file read so that whatever is wrong in it is named with its line and the nearest valid word. Pure."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn, TypeVar

import yaml

from core.errors import InvalidError

T = TypeVar("T")

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIMILAR = 0.6


class ScenarioInvalidError(InvalidError):
    """A scenario that cannot be played. Carries ``line``, 1 is the first."""

    slug = "scenario-invalid"


@dataclass(frozen=True, slots=True)
class Written:
    """One piece of a file, and where it stands."""

    file: str
    node: yaml.Node

    def refuse(self, why: str) -> NoReturn:
        """Say what is wrong here.

        Raises:
            ScenarioInvalidError: always.
        """
        line = self.node.start_mark.line + 1
        raise ScenarioInvalidError(f"{self.file}, line {line}: {why}", line=line)

    def members(self, known: Collection[str]) -> Mapping[str, "Written"]:
        """The members of a mapping.

        Raises:
            ScenarioInvalidError: it is none, or has a member that is not known here or is there twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"here belong some of: {', '.join(known)}")
        found: dict[str, Written] = {}
        for key, value in self.node.value:
            name = Written(self.file, key)
            word = name.one_of(known)
            if word in found:
                name.refuse(f"{word!r} is there twice")
            found[word] = Written(self.file, value)
        return found

    def each(self) -> Iterator["Written"]:
        """The elements of a list.

        Raises:
            ScenarioInvalidError: it is none.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse("a list belongs here: lines that begin with '- '")
        for element in self.node.value:
            yield Written(self.file, element)

    def text(self) -> str:
        """A word or a sentence.

        Raises:
            ScenarioInvalidError: it is a list or a mapping, or empty.
        """
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            self.refuse("a word or a number belongs here")
        return str(self.node.value).strip()

    def one_of(self, words: Collection[str]) -> str:
        """One of a few words.

        Raises:
            ScenarioInvalidError: it is none of them; names the nearest.
        """
        word = self.text()
        if word not in words:
            near = get_close_matches(word.lower(), words, n=1, cutoff=_SIMILAR)
            meant = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(words)}"
            self.refuse(f"{word!r} is not known here; {meant}")
        return word

    def number(self, low: float, high: float) -> float:
        """A number between two bounds, both included.

        Raises:
            ScenarioInvalidError: it is none, or outside.
        """
        return self._checked(lambda: float(self.text()), f"a number from {low:g} to {high:g} belongs here", low, high)

    def share(self) -> float:
        """A share, as 0.05 or 5%.

        Raises:
            ScenarioInvalidError: it is none.
        """
        text = self.text()
        percent = text.endswith("%")
        why = f"{text!r} is no share: write 5% or 0.05"
        value = self._checked(lambda: float(text.rstrip("% ")), why, 0, 100 if percent else 1)
        return value / 100 if percent else value

    def milliseconds(self) -> int:
        """A length of time, as 90s, 30m, 6h, 2d or 0.

        Raises:
            ScenarioInvalidError: it is none.
        """
        text = self.text()
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text)
        if found is None and text != "0":
            self.refuse(f"{text!r} is no length of time: write 90s, 30m, 6h, 2d or 0")
        return int(float(found[1]) * _UNITS_MS[found[2]]) if found else 0

    def minute_of_day(self, text: str | None = None) -> int:
        """A time of the day, as 07:30 or 24:00.

        Raises:
            ScenarioInvalidError: it is none.
        """
        said = self.text() if text is None else text.strip()
        found = re.fullmatch(r"([01]?\d|2[0-4]):([0-5]\d)", said)
        if found is None or (found[1] == "24" and found[2] != "00"):
            self.refuse(f"{said!r} is no time of the day: write 07:30")
        return int(found[1]) * 60 + int(found[2])

    @property
    def is_mapping(self) -> bool:
        """Whether it has members."""
        return isinstance(self.node, yaml.MappingNode)

    def is_true(self) -> bool:
        """Yes or no.

        Raises:
            ScenarioInvalidError: neither.
        """
        return self.one_of(("yes", "no", "true", "false")) in ("yes", "true")

    def built(self, build: Callable[[], T]) -> T:
        """What ``build`` makes of this piece; a value it refuses is refused with the line.

        Raises:
            ScenarioInvalidError: see there.
        """
        try:
            return build()
        except ScenarioInvalidError:
            raise
        except InvalidError as error:
            self.refuse(error.message)
        except ValueError as error:
            self.refuse(str(error))

    def _checked(self, read: Callable[[], float], why: str, low: float, high: float) -> float:
        try:
            value = read()
        except ValueError:
            self.refuse(why)
        if not low <= value <= high:
            self.refuse(why)
        return value


def plain(node: yaml.Node) -> object:
    """A piece as lists, mappings and words, for those who check it themselves: ``on`` is a word, not true."""
    match node:
        case yaml.MappingNode():
            return {str(key.value): plain(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [plain(element) for element in node.value]
        case _:
            return str(node.value)


def read_yaml(text: str, file: str) -> Written:
    """The one document of a file.

    Raises:
        ScenarioInvalidError: it is no YAML, or empty; with the line.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioInvalidError(f"{file}, line {line}: {error.problem or 'this is no YAML'}", line=line) from error
    except yaml.YAMLError as error:
        raise ScenarioInvalidError(f"{file} is no YAML: {error}", line=1) from error
    if node is None:
        raise ScenarioInvalidError(f"{file} is empty", line=1)
    return Written(file, node)
