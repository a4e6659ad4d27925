"""Characters that a person or a camera confuses on a plate. Pure."""

from collections.abc import Iterator
from itertools import product
from typing import Final

from core.plate import Plate

CLASSES: Final = ("0DQ", "B8", "2Z", "S5")
"""Characters that look alike; the first of each stands for all of them where they are made equal."""
NEVER_ON_A_PLATE: Final = str.maketrans("OI", "01")
"""Plates have no letters O and I: who types one means the digit."""

_EQUAL: Final = str.maketrans({one: alike[0] for alike in CLASSES for one in alike})
_ALIKE: Final = {one: alike for alike in CLASSES for one in alike}


def made_equal(text: str) -> str:
    """The text with characters that look alike made equal."""
    return text.translate(_EQUAL)


def skeleton(plate: Plate) -> str:
    """The plate with look-alike characters made equal; the province stays as it is."""
    return plate.text[0] + made_equal(plate.text[1:])


def readings_of(text: str) -> Iterator[str]:
    """Every text that looks like this one, itself first: at most three times as many for each character."""
    classes = [one + _ALIKE.get(one, "").replace(one, "") for one in text]
    return ("".join(characters) for characters in product(*classes))
