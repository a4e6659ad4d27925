"""SHA256withRSA, as both providers and their merchants sign. Pure."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """The signature in base64 on one line."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether the key's owner signed exactly these bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def spoiled(signature: str) -> str:
    """A signature of the right shape that nobody made."""
    raw = bytearray(base64.b64decode(signature))
    raw[len(raw) // 2] ^= 1
    return base64.b64encode(bytes(raw)).decode()
