"""Number plates of mainland China: recognised, normalised, classed and masked. Pure.

A plate is personal data: it is shown masked, logged never, and stored as ciphertext with keyed search tokens.
Layout after the public standard GA 36: province character, authority letter, then five characters (six for new energy)
of digits and letters without I and O; some special plates end in a Chinese character.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidError

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
ENDINGS = "挂学警港澳领"
SEPARATORS = re.compile(r"[\s·•.\-_]+")
"""What people write between the parts of a plate."""

_CIVIL = re.compile(rf"[{PROVINCES}][A-HJ-NP-Z][A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9{ENDINGS}]")
_NEW_ENERGY_SMALL = re.compile(rf"[{PROVINCES}][A-HJ-NP-Z][ABCDEFGHJK][A-HJ-NP-Z0-9][0-9]{{4}}")
_NEW_ENERGY_LARGE = re.compile(rf"[{PROVINCES}][A-HJ-NP-Z][0-9]{{5}}[ABCDEFGHJK]")
_ANY_IN_TEXT = re.compile(
    rf"[{PROVINCES}][ ·•]?[A-Za-z][ ·•.\-]?(?:[A-Za-z0-9]{{5,6}}|[A-Za-z0-9]{{4}}[{ENDINGS}])(?![A-Za-z0-9])"
)


class PlateKind(StrEnum):
    """What the form of a plate tells; the colour tells more and comes with the evidence."""

    CIVIL = "civil"
    NEW_ENERGY_SMALL = "new-energy-small"
    NEW_ENERGY_LARGE = "new-energy-large"


@dataclass(frozen=True, slots=True)
class Plate:
    """A normalised number plate. Its ``str`` and ``repr`` are masked, so that no log can show it by accident."""

    text: str
    """Upper case, no separators, for example the province character, ``D`` and five more. Personal data."""
    kind: PlateKind

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Plate({self.masked})"

    @property
    def masked(self) -> str:
        """Province, authority letter and the last two characters; what a list may show to an operator."""
        return f"{self.text[:2]}{'*' * (len(self.text) - 4)}{self.text[-2:]}"


def parse_plate(text: str) -> Plate:
    """The plate somebody typed: full-width letters, lower case and separators are forgiven.

    Raises:
        InvalidError: no plate of mainland China looks like this; says which place is wrong.
    """
    normal = SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    if _NEW_ENERGY_SMALL.fullmatch(normal):
        return Plate(normal, PlateKind.NEW_ENERGY_SMALL)
    if _NEW_ENERGY_LARGE.fullmatch(normal):
        return Plate(normal, PlateKind.NEW_ENERGY_LARGE)
    if _CIVIL.fullmatch(normal):
        return Plate(normal, PlateKind.CIVIL)
    raise InvalidError(_why_not(normal), length=len(normal))


def mask_plates_in(text: str) -> str:
    """The text with whatever looks like a plate masked, for logs and error messages."""
    return _ANY_IN_TEXT.sub(lambda match: f"{match[0][:2]}*****", text)


def _why_not(normal: str) -> str:
    if not normal or normal[0] not in PROVINCES:
        return "a plate begins with a province's character, such as 浙"
    if len(normal) < 2 or not ("A" <= normal[1] <= "Z") or normal[1] in "IO":  # noqa: PLR2004 - the second place
        return "the second place of a plate is a letter other than I and O"
    if len(normal) not in {7, 8}:
        return f"a plate has 7 characters, a new-energy plate 8; this has {len(normal)}"
    if any(character in "IO" for character in normal[2:]):
        return "plates have no letters I and O: is it the digit 1 or 0?"
    return "no plate has this form" if len(normal) == 7 else "no new-energy plate has this form"  # noqa: PLR2004 - as above
