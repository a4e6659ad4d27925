"""WeChat Pay's signatures and encryption, from the provider's side. Pure.

Source: WeChat Pay API v3: lines ended by a newline each, SHA256withRSA; AES-256-GCM with the APIv3 key.
"""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simulator.gateway.keys import Keys
from simulator.gateway.rsa import is_signed, sign
from simulator.gateway.trades import SealedBy

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
PROBE: Final = "WECHATPAY/SIGNTEST/"
"""How a signature begins that is wrong on purpose, to see whether the merchant looks."""
FRESH_SECONDS: Final = 300
_PAIR: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The merchant's signature of a request."""

    merchant_id: str
    nonce: str
    timestamp: str
    serial: str
    signature: str

    @classmethod
    def find(cls, header: str) -> "Authorization | None":
        """From the header; None where the scheme or one of the five is missing."""
        scheme, _, rest = header.partition(" ")
        found = dict(_PAIR.findall(rest))
        words = [found.get(name, "") for name in ("mchid", "nonce_str", "timestamp", "serial_no", "signature")]
        if scheme != SCHEME or not all(words):
            return None
        merchant_id, nonce, timestamp, serial, signature = words
        return cls(merchant_id=merchant_id, nonce=nonce, timestamp=timestamp, serial=serial, signature=signature)

    def fits(self, key: RSAPublicKey, method: str, path: str, body: bytes) -> bool:
        """Whether exactly this request was signed; ``path`` with its query string."""
        message = f"{method}\n{path}\n{self.timestamp}\n{self.nonce}\n".encode() + body + b"\n"
        return is_signed(key, message, self.signature)

    def is_fresh(self, now_seconds: float) -> bool:
        """Whether it was made within five minutes of now."""
        return self.timestamp.isdecimal() and abs(now_seconds - int(self.timestamp)) <= FRESH_SECONDS


def seal(keys: Keys, sealed_by: SealedBy, body: bytes, at_seconds: int) -> dict[str, str]:
    """The headers that prove an answer or a notification."""
    key, serial = keys.wechat_sealer(sealed_by)
    nonce = secrets.token_hex(16)
    return {
        "Wechatpay-Serial": serial,
        "Wechatpay-Timestamp": str(at_seconds),
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(key, f"{at_seconds}\n{nonce}\n".encode() + body + b"\n"),
        "Wechatpay-Signature-Type": SCHEME,
    }


def encrypted(api_key: str, content: bytes, associated_data: str) -> dict[str, str]:
    """What only who knows the APIv3 key can read."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(api_key.encode()).encrypt(nonce.encode(), content, associated_data.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": base64.b64encode(sealed).decode(),
    }
