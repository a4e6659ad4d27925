"""Secrets that are handed out and how they are recognised: printed codes, device keys, login cookies. Pure.

A printed code's token is derived from the space, so nothing is stored. Keys and cookies are random and long, so a plain
digest of them is all that is kept.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

TOKEN_BYTES: Final = 9
"""72 bits, 12 characters in print: out of reach of guessing over a network."""
SECRET_BYTES: Final = 32


def space_token(secret_key: str, space_code: str) -> str:
    """What stands as ``k`` in the address printed on a space: 12 characters, safe in an address."""
    digest = hmac.digest(secret_key.encode(), f"space:{space_code}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()


def is_space_token(secret_key: str, space_code: str, token: str) -> bool:
    """Whether this token was printed for this space; takes equally long either way."""
    return hmac.compare_digest(space_token(secret_key, space_code).encode(), token.encode())


def new_secret(prefix: str) -> str:
    """A random secret to hand out once, such as ``kiosk_…``; the prefix tells people and scanners what it is."""
    return f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"


def digest_of(secret: str) -> bytes:
    """What is stored of a secret: enough to recognise it, useless to whoever reads it."""
    return hashlib.sha256(secret.encode()).digest()
