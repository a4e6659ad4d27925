"""A receipt's number: the day it was issued and 50 random bits, in letters that are not mistaken. Pure."""

import re
import secrets
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: without I, L, O and U."""
RANDOM_CHARACTERS: Final = 10
_NUMBER: Final = re.compile(rf"\d{{8}}-[{ALPHABET}]{{{RANDOM_CHARACTERS}}}")
_MISTAKEN: Final = str.maketrans("ILO", "110")


def new_number(issued_at: datetime, zone: ZoneInfo) -> str:
    """Such as ``20261123-7K3QF9XW2M``; nobody can tell the next from it."""
    return f"{issued_at.astimezone(zone):%Y%m%d}-" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))


def read_number(text: str) -> str | None:
    """The number that somebody typed from paper, mistaken letters forgiven; None where it can be none."""
    number = text.strip().upper().translate(_MISTAKEN)
    return number if _NUMBER.fullmatch(number) else None
