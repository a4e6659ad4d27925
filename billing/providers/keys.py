"""RSA keys as merchants get them, and SHA256withRSA with them. Pure."""

import base64
import binascii
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from core.errors import InvalidError

SMALLEST_KEY_BITS: Final = 2048


def read_private_key(text: str, setting: str) -> RSAPrivateKey:
    """A key as PEM (PKCS#1 or PKCS#8) or as the bare base64 line that Alipay's tool writes.

    Raises:
        InvalidError: it is neither, has a password, or is shorter than 2048 bits; names the setting, shows no key.
    """
    try:
        if text.lstrip().startswith("-----BEGIN"):
            key = serialization.load_pem_private_key(text.strip().encode(), password=None)
        else:
            key = serialization.load_der_private_key(_bare(text), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidError(f"{setting} is not a private RSA key without a password", setting=setting) from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY_BITS:
        raise InvalidError(f"{setting} is not an RSA key of at least {SMALLEST_KEY_BITS} bits", setting=setting)
    return key


def read_public_key(text: str, setting: str) -> RSAPublicKey:
    """A public key or a certificate as PEM, or the key as a bare base64 line.

    Raises:
        InvalidError: it is neither, or shorter than 2048 bits; names the setting.
    """
    try:
        key: object
        if "BEGIN CERTIFICATE" in text:
            key = x509.load_pem_x509_certificate(text.strip().encode()).public_key()
        elif text.lstrip().startswith("-----BEGIN"):
            key = serialization.load_pem_public_key(text.strip().encode())
        else:
            key = serialization.load_der_public_key(_bare(text))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidError(f"{setting} is neither a public RSA key nor a certificate", setting=setting) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise InvalidError(f"{setting} is not an RSA key of at least {SMALLEST_KEY_BITS} bits", setting=setting)
    return key


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """The signature (PKCS#1 v1.5, SHA-256), base64 on one line."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether this signature was made for exactly these bytes by the key's owner; never raises."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _bare(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)
