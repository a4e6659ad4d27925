"""What WeChat Pay signs, and the signatures made of it. Pure.

Source: WeChat Pay API v3, request signing and answer verification: lines ended by a newline each, SHA256withRSA.
"""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from billing.providers.keys import is_signed, sign
from billing.providers.wechat.merchant import WechatMerchant

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
PROBE: Final = "WECHATPAY/SIGNTEST/"
"""How a deliberately wrong signature begins, by which WeChat tests whether merchants look."""
NONCE_BYTES: Final = 12
_SECONDS: Final = re.compile("[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The signature that came with an answer or a notification."""

    serial: str
    timestamp: str
    nonce: str
    signature: str

    @classmethod
    def find(cls, headers: Mapping[str, str]) -> "Seal | None":
        """From headers, whatever their case; None where one of the four is missing."""
        lower = {name.lower(): value for name, value in headers.items()}
        values = [lower.get(f"wechatpay-{word}", "") for word in ("serial", "timestamp", "nonce", "signature")]
        if not all(values):
            return None
        serial, timestamp, nonce, signature = values
        return cls(serial=serial, timestamp=timestamp, nonce=nonce, signature=signature)

    @property
    def is_probe(self) -> bool:
        """Whether WeChat only wants to see us refuse it."""
        return self.signature.startswith(PROBE)

    def is_fresh(self, now_seconds: float, tolerance_seconds: int) -> bool:
        """Whether it was made within the tolerance of now, before or after."""
        return bool(_SECONDS.fullmatch(self.timestamp)) and abs(now_seconds - int(self.timestamp)) <= tolerance_seconds

    def fits(self, key: RSAPublicKey, body: bytes) -> bool:
        """Whether the key's owner signed exactly these bytes with this time and nonce."""
        return is_signed(key, f"{self.timestamp}\n{self.nonce}\n".encode() + body + b"\n", self.signature)


def authorization(merchant: WechatMerchant, method: str, path: str, body: bytes, *, timestamp: int, nonce: str) -> str:
    """The ``Authorization`` header of a request.

    Args:
        merchant: who asks.
        method: in capitals.
        path: with its query string, exactly as sent.
        body: exactly as sent; empty for GET.
        timestamp: seconds since 1970, real time.
        nonce: random, once.
    """
    message = f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
    return (
        f'{SCHEME} mchid="{merchant.merchant_id}",nonce_str="{nonce}",timestamp="{timestamp}",'
        f'serial_no="{merchant.serial}",signature="{sign(merchant.private_key, message)}"'
    )


def bridge(merchant: WechatMerchant, prepay_id: str, *, timestamp: int, nonce: str) -> dict[str, str]:
    """What WeChat's script in the browser asks for to pay a prepared order (JSAPI)."""
    package = f"prepay_id={prepay_id}"
    message = f"{merchant.app_id}\n{timestamp}\n{nonce}\n{package}\n".encode()
    return {
        "appId": merchant.app_id,
        "timeStamp": str(timestamp),
        "nonceStr": nonce,
        "package": package,
        "signType": "RSA",
        "paySign": sign(merchant.private_key, message),
    }


class SealedError(ValueError):
    """What was encrypted cannot be opened with any of our APIv3 keys, or is no such thing."""


def unseal(resource: Mapping[str, Any], api_keys: Sequence[bytes]) -> bytes:
    """Open an AES-256-GCM resource of a notification or a certificate.

    Raises:
        SealedError: see there.
    """
    if resource.get("algorithm") != "AEAD_AES_256_GCM":
        raise SealedError("the resource is not encrypted with AEAD_AES_256_GCM")
    try:
        nonce, associated = str(resource["nonce"]).encode(), str(resource.get("associated_data") or "").encode()
        ciphertext = b64decode(str(resource["ciphertext"]), validate=True)
    except (KeyError, NotBase64Error, ValueError) as error:
        raise SealedError("the resource lacks its nonce or its ciphertext") from error
    if len(nonce) != NONCE_BYTES:
        raise SealedError(f"the resource's nonce is {len(nonce)} bytes long, not {NONCE_BYTES}")
    for key in api_keys:
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, associated)
        except InvalidTag:
            continue
    raise SealedError("the resource opens with none of our APIv3 keys")


def document_of(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is an empty one.

    Raises:
        ValueError: it is no JSON object in UTF-8.
    """
    if not body:
        return {}
    document = json.loads(body.decode("utf-8"))
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for all that is not a document
    return document


def bytes_of(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed and sent: made once, the same object for both."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
