"""What can be wrong with a city file: each problem has a name, a place, a reason and a cure. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Slug(StrEnum):
    """The names of problems. Programs and documentation may rely on them."""

    NOT_UTF8 = "not-utf8"
    NOT_JSON = "not-json"
    NOT_A_FEATURE_COLLECTION = "not-a-feature-collection"
    WRONG_DATUM = "wrong-datum"
    NOT_A_FEATURE = "not-a-feature"
    UNKNOWN_KIND = "unknown-kind"
    TWO_CITIES = "two-cities"

    MISSING_PROPERTY = "missing-property"
    UNKNOWN_PROPERTY = "unknown-property"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_WORD = "unknown-word"
    OUT_OF_RANGE = "out-of-range"
    BAD_TEXT = "bad-text"
    BAD_CODE = "bad-code"
    BAD_INSTANT = "bad-instant"
    BAD_OPENING_HOURS = "bad-opening-hours"
    UPPER_CASE_DEV_EUI = "upper-case-dev-eui"
    UNKNOWN_TARIFF = "unknown-tariff"
    UNKNOWN_CODEC = "unknown-codec"

    DUPLICATE_CODE = "duplicate-code"
    DUPLICATE_SENSOR = "duplicate-sensor"
    MISSING_LOT = "missing-lot"
    MISSING_PARENT = "missing-parent"
    PARENT_CYCLE = "parent-cycle"
    MISSING_CAPACITY = "missing-capacity"
    SPACE_IN_COUNTED_LOT = "space-in-counted-lot"

    EMPTY_GEOMETRY = "empty-geometry"
    WRONG_GEOMETRY = "wrong-geometry"
    BAD_COORDINATES = "bad-coordinates"
    SWAPPED_COORDINATES = "swapped-coordinates"
    UNCLOSED_RING = "unclosed-ring"
    SELF_CROSSING = "self-crossing"
    HOLE_IN_SPACE = "hole-in-space"
    OUTSIDE_CITY = "outside-city"
    FAR_FROM_LOT = "far-from-lot"

    SPACE_OF_ANOTHER_LOT = "space-of-another-lot"
    SENSOR_OF_ANOTHER_LOT = "sensor-of-another-lot"
    INSTALLED_TOO_EARLY = "installed-too-early"

    IGNORED_PROPERTY = "ignored-property"
    IGNORED_CAPACITY = "ignored-capacity"
    LOT_WITHOUT_SPACES = "lot-without-spaces"
    SPACE_WITHOUT_SENSOR = "space-without-sensor"
    OVERLAPPING_SPACES = "overlapping-spaces"
    ODD_SIZE = "odd-size"


WARNINGS = frozenset(
    {
        Slug.IGNORED_PROPERTY,
        Slug.IGNORED_CAPACITY,
        Slug.LOT_WITHOUT_SPACES,
        Slug.SPACE_WITHOUT_SENSOR,
        Slug.OVERLAPPING_SPACES,
        Slug.ODD_SIZE,
    }
)
"""Problems that do not stop an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong at one place."""

    slug: Slug
    where: str
    """``features[12], space KL-017``, or a line and column where the file is no JSON."""
    why: str
    cure: str

    @property
    def is_warning(self) -> bool:
        """Whether the file can be imported all the same."""
        return self.slug in WARNINGS

    def __str__(self) -> str:
        return f"{self.where}: {self.why} ({self.slug}). {self.cure}"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of ``words`` that ``word`` was probably meant to be."""
    plain = {_plain(known): known for known in words}
    return next((plain[found] for found in get_close_matches(_plain(word), plain, n=1, cutoff=0.7)), None)


def quoted(words: Iterable[str], limit: int = 12) -> str:
    """The words for a message, at most ``limit`` of them."""
    listed = sorted(words)
    return ", ".join(listed[:limit]) + (f" and {len(listed) - limit} more" if len(listed) > limit else "")


def _plain(word: str) -> str:
    return word.strip().lower().replace("-", "_").replace(" ", "_")
