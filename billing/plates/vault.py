"""The ring of keys for plates: the newest seals, all of them open and search. Pure but for its random numbers.

Each key is one secret, stretched into a key for the ciphertext and one for the tokens. The tokens are exact; a wrong or
other key finds nothing and reads nothing.
"""

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import InvalidError
from core.plate import Plate, parse_plate

KEY_CHARACTERS: Final = 32
NONCE_BYTES: Final = 12
TOKEN_BYTES: Final = 16
HIGHEST_NUMBER: Final = 32_767
"""What a column of two bytes holds."""
UNREADABLE: Final = "*******"
"""What is shown of a plate whose key is not in the ring, or that was erased."""

_NUMBERED: Final = re.compile(r"(\d{1,5}):(\S+)")


class Sealed(NamedTuple):
    """Bytes that only a key of the ring opens, and which."""

    ciphertext: bytes
    key_number: int


@dataclass(frozen=True, slots=True)
class PlateKey:
    """One key of the ring."""

    secret: str = field(repr=False)
    number: int = 1

    def __post_init__(self) -> None:
        """Refuse what could be guessed, and numbers that no row could name."""
        if len(self.secret) < KEY_CHARACTERS:
            raise InvalidError(f"PARKING_PLATE_KEY needs at least {KEY_CHARACTERS} random characters in each key")
        if not 1 <= self.number <= HIGHEST_NUMBER:
            raise InvalidError(f"the keys of PARKING_PLATE_KEY are numbered from 1 to {HIGHEST_NUMBER}")

    def seal(self, content: bytes, what: str) -> bytes:
        """Nonce and ciphertext, another each time; bound to this key's number and to ``what`` it is."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._stretched("cipher")).encrypt(nonce, content, self._bound(what))

    def open(self, ciphertext: bytes, what: str) -> bytes:
        """The bytes that were sealed as ``what``.

        Raises:
            cryptography.exceptions.InvalidTag: with another key, as something else, or altered since.
        """
        nonce, sealed = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
        return AESGCM(self._stretched("cipher")).decrypt(nonce, sealed, self._bound(what))

    def token(self, kind: str, text: str) -> bytes:
        """What stands in the table for a text of this kind: ``exact``, ``last4``, ``last5`` or ``skeleton``."""
        return hmac.digest(self._stretched("token"), f"{kind}:{text}".encode(), "sha256")[:TOKEN_BYTES]

    def _bound(self, what: str) -> bytes:
        return f"{what}:{self.number}".encode()

    def _stretched(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{purpose}:{self.number}:{self.secret}".encode()).digest()


@dataclass(frozen=True, slots=True)
class PlateVault:
    """Seals, opens and finds plates with a ring of keys."""

    keys: tuple[PlateKey, ...]
    """The newest first, which is the one of the highest number; at least one."""

    def __post_init__(self) -> None:
        """Refuse an empty ring, and one in which a number means two keys."""
        numbers = [key.number for key in self.keys]
        if not numbers or numbers != sorted(set(numbers), reverse=True):
            raise InvalidError("PARKING_PLATE_KEY gives each key a number of its own")

    @property
    def newest(self) -> PlateKey:
        """The key that seals."""
        return self.keys[0]

    @property
    def number(self) -> int:
        """The newest key's."""
        return self.newest.number

    def has(self, number: int) -> bool:
        """Whether a key of this number is in the ring."""
        return any(key.number == number for key in self.keys)

    def seal(self, plate: Plate) -> Sealed:
        """The plate under the newest key."""
        return Sealed(self.newest.seal(plate.text.encode(), "plate"), self.number)

    def open(self, ciphertext: bytes, key_number: int) -> Plate:
        """The plate that was sealed.

        Raises:
            KeyNotInRingError: the ring has no key of this number.
            cryptography.exceptions.InvalidTag: its key is another than that which sealed, or it was altered since.
        """
        return parse_plate(self.key(key_number).open(ciphertext, "plate").decode())

    def key(self, number: int) -> PlateKey:
        """The key of this number.

        Raises:
            KeyNotInRingError: the ring has none.
        """
        for key in self.keys:
            if key.number == number:
                return key
        raise KeyNotInRingError(f"PARKING_PLATE_KEY has no key {number}", key_number=number)

    def tokens(self, kind: str, *texts: str) -> list[bytes]:
        """What may stand in the table for any of these texts, under any key."""
        return [key.token(kind, text) for key in self.keys for text in texts]


class KeyNotInRingError(InvalidError):
    """Something was sealed with a key that is not there. Carries ``key_number``."""

    slug = "key-not-in-ring"


def vault_of(setting: str) -> PlateVault | None:
    """The vault of the setting ``PARKING_PLATE_KEY``; None where it is empty.

    Args:
        setting: one key, which then has the number 1, or several as ``number:key``, apart by blanks, lines or commas.

    Raises:
        InvalidError: a key is too short to be one, or the ring is written wrongly.
    """
    words = setting.replace(",", " ").split()
    if not words:
        return None
    if len(words) == 1 and not _NUMBERED.fullmatch(words[0]):
        return PlateVault((PlateKey(setting.strip()),))
    keys = []
    for word in words:
        match = _NUMBERED.fullmatch(word)
        if match is None:
            # a sentence of several words is one key, as it always was
            if not any(_NUMBERED.fullmatch(other) for other in words):
                return PlateVault((PlateKey(setting.strip()),))
            raise InvalidError("PARKING_PLATE_KEY holds one key, or several as number:key, apart by blanks")
        keys.append(PlateKey(match[2], int(match[1])))
    return PlateVault(tuple(sorted(keys, key=lambda key: key.number, reverse=True)))


def masked(vault: PlateVault | None, ciphertext: bytes, key_number: int) -> str:
    """A stored plate as a list may show it; stars alone where its key is not there, or it was erased."""
    if vault is None or not ciphertext or not vault.has(key_number):
        return UNREADABLE
    return vault.open(ciphertext, key_number).masked
