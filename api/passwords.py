"""Passwords at rest: argon2id, verified off the event loop, a few at a time, and equally long for an unknown login."""

import asyncio
from secrets import token_urlsafe
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import InvalidError

SHORTEST: Final = 10
LONGEST: Final = 256
AT_ONCE: Final = 2
"""Each takes 64 MiB for a moment."""

_hasher: Final = PasswordHasher()


class UnfitPasswordError(InvalidError):
    """Too short or too long to protect anything."""

    slug = "unfit-password"


class Passwords:
    """Checks passwords for one process."""

    def __init__(self) -> None:
        """Prepare a hash that no password fits, for logins that do not exist."""
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobody = hash_password(token_urlsafe())

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one hashed; None, an unknown login, takes as long and never fits."""
        async with self._turns:
            right = await asyncio.to_thread(_verify, password_hash or self._nobody, password)
        return right and password_hash is not None


def hash_password(password: str) -> str:
    """The argon2id hash to store.

    Raises:
        UnfitPasswordError: shorter than 10 or longer than 256 characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UnfitPasswordError(f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}")
    return _hasher.hash(password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
