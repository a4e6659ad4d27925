"""A short signed proof of payment, which a kiosk or a warden's device checks without a network. Pure.

Ed25519 over a few bytes: whoever has the public key can check a token, only the server can make one. The private key is
derived from the installation's secret key, so there is nothing to keep beside it.
"""

import base64
import hmac
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from billing.receipts.content import Receipt
from core.clock import instant, milliseconds
from core.errors import InvalidError
from core.money import Fen

VERSION: Final = 1
PURPOSE: Final = b"receipt-token:1"
_FACTS: Final = struct.Struct(">BQQQ")
"""Version, fen, paid until (ms), leave by (ms, 0: none); then the number and the space, each behind its length."""
_SIGNATURE_BYTES: Final = 64
_LETTERS: Final = re.compile(r"[A-Za-z0-9_-]{40,400}")
_LENGTH_BYTES: Final = 1


class BadTokenError(InvalidError):
    """Not a token of this installation, or somebody changed it."""

    slug = "bad-receipt-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a good token says."""

    number: str
    space_code: str
    paid_fen: Fen
    counted_to: datetime
    exit_by: datetime | None


def public_key_of(secret_key: str) -> bytes:
    """The 32 bytes that devices need."""
    return _private_key(secret_key).public_key().public_bytes_raw()


def sign_token(secret_key: str, receipt: Receipt) -> str:
    """The receipt in about 150 characters, safe in an address and small in a code."""
    content = receipt.content
    facts = _FACTS.pack(
        VERSION,
        content.paid_fen,
        milliseconds(content.counted_to),
        milliseconds(content.exit_by) if content.exit_by else 0,
    )
    body = facts + _with_length(receipt.number) + _with_length(content.space_code)
    return base64.urlsafe_b64encode(body + _private_key(secret_key).sign(body)).decode().rstrip("=")


def verify_token(public_key: bytes, token: str) -> Proof:
    """What the token says.

    Raises:
        BadTokenError: it was not made here, or not like this.
    """
    if not _LETTERS.fullmatch(token):
        raise BadTokenError("this is no receipt's token")
    try:
        whole = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        body, signature = whole[:-_SIGNATURE_BYTES], whole[-_SIGNATURE_BYTES:]
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except (InvalidSignature, ValueError) as error:
        raise BadTokenError("this token was not signed by this installation") from error
    version, paid_fen, counted_to_ms, exit_by_ms = _FACTS.unpack_from(body)
    if version != VERSION:
        raise BadTokenError("this token is of a version not known here", version=version)
    number, rest = _text(body[_FACTS.size :])
    space_code, _ = _text(rest)
    return Proof(
        number=number,
        space_code=space_code,
        paid_fen=Fen(paid_fen),
        counted_to=instant(counted_to_ms),
        exit_by=instant(exit_by_ms) if exit_by_ms else None,
    )


def _private_key(secret_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(secret_key.encode(), PURPOSE, "sha256"))


def _with_length(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(_LENGTH_BYTES) + encoded


def _text(body: bytes) -> tuple[str, bytes]:
    length = body[0]
    return body[1 : 1 + length].decode(), body[1 + length :]
