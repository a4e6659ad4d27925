"""The keys of the gateway and of its one merchant: generated once, kept in a folder, read by both sides."""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID

from core.errors import InvalidError
from simulator.gateway.clock import real_now
from simulator.gateway.trades import SealedBy

MERCHANT: Final = "merchant.json"
WECHAT_MERCHANT, WECHAT_PLATFORM, WECHAT_PUBLIC = "wechat-merchant", "wechat-platform", "wechat-public"
ALIPAY_APPLICATION, ALIPAY = "alipay-application", "alipay"
NAMES: Final = (WECHAT_MERCHANT, WECHAT_PLATFORM, WECHAT_PUBLIC, ALIPAY_APPLICATION, ALIPAY)
CERTIFICATE: Final = "wechat-platform-certificate.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Everything that signs or encrypts, on both sides, and the numbers by which it is known."""

    private: dict[str, RSAPrivateKey]
    certificate: x509.Certificate
    """WeChat Pay's platform certificate."""
    merchant_id: str
    app_id: str
    merchant_serial: str
    public_key_id: str
    api_key: str
    app_secret: str
    alipay_app_id: str
    seller_id: str
    url: str
    """Where the gateway answers."""

    @property
    def certificate_serial(self) -> str:
        """As WeChat Pay writes it: upper-case hex."""
        return f"{self.certificate.serial_number:X}"

    def wechat_sealer(self, sealed_by: SealedBy) -> tuple[RSAPrivateKey, str]:
        """The key with which WeChat Pay signs, and its serial number."""
        if sealed_by == "certificate":
            return self.private[WECHAT_PLATFORM], self.certificate_serial
        return self.private[WECHAT_PUBLIC], self.public_key_id


def prepare(folder: Path, url: str) -> Keys:
    """The keys in this folder, generated if there are none, and the address written beside them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / MERCHANT).exists():
        for name in NAMES:
            _write(folder / f"{name}.pem", _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
        platform = _read_key(folder, WECHAT_PLATFORM)
        _write(folder / CERTIFICATE, _certificate(platform).public_bytes(serialization.Encoding.PEM).decode())
        _write(folder / MERCHANT, json.dumps(_new_merchant(), indent=1))
    merchant = _read_merchant(folder) | {"url": url.rstrip("/")}
    _write(folder / MERCHANT, json.dumps(merchant, indent=1))
    return read_keys(folder)


def read_keys(folder: Path) -> Keys:
    """The keys in this folder.

    Raises:
        InvalidError: there are none.
    """
    return Keys(
        private={name: _read_key(folder, name) for name in NAMES},
        certificate=x509.load_pem_x509_certificate(_read(folder / CERTIFICATE).encode()),
        **_read_merchant(folder),
    )


def merchant_settings(folder: Path, *, sealed_by: SealedBy = "public_key") -> dict[str, str]:
    """What a merchant of this gateway sets: ``PARKING_WECHAT_*`` and ``PARKING_ALIPAY_*``, secrets included.

    Args:
        folder: where ``prepare`` put the keys.
        sealed_by: whether the merchant knows WeChat Pay by its public key or fetches its certificates.

    Raises:
        InvalidError: no gateway was ever prepared there.
    """
    keys = read_keys(folder)
    wechat = {
        "merchant_id": keys.merchant_id,
        "app_id": keys.app_id,
        "serial": keys.merchant_serial,
        "private_key": _pem(keys.private[WECHAT_MERCHANT]),
        "api_key": keys.api_key,
        "app_secret": keys.app_secret,
        "api_url": keys.url,
        "oauth_url": keys.url,
        "authorize_url": f"{keys.url}/connect/oauth2/authorize",
    }
    if sealed_by == "public_key":
        wechat |= {"public_key_id": keys.public_key_id, "public_key": _public_pem(keys.private[WECHAT_PUBLIC])}
    alipay = {
        "app_id": keys.alipay_app_id,
        "seller_id": keys.seller_id,
        "private_key": _pem(keys.private[ALIPAY_APPLICATION]),
        "public_key": _public_pem(keys.private[ALIPAY]),
        "api_url": f"{keys.url}/gateway.do",
    }
    settings = {f"PARKING_WECHAT_{name.upper()}": value for name, value in wechat.items()}
    return settings | {f"PARKING_ALIPAY_{name.upper()}": value for name, value in alipay.items()}


def _new_merchant() -> dict[str, Any]:
    return {
        "merchant_id": f"19{_digits(8)}",
        "app_id": f"wx{secrets.token_hex(8)}",
        "merchant_serial": f"{secrets.randbits(156) | 1 << 156:X}",
        "public_key_id": f"PUB_KEY_ID_01{_digits(32)}",
        "api_key": secrets.token_hex(16),
        "app_secret": secrets.token_hex(16),
        "alipay_app_id": f"20210{_digits(11)}",
        "seller_id": f"2088{_digits(12)}",
        "url": "",
    }


def _certificate(key: RSAPrivateKey) -> x509.Certificate:
    now = real_now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated payment platform")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=5 * 365))
        .sign(key, hashes.SHA256())
    )


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _public_pem(key: RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def _read_key(folder: Path, name: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(_read(folder / f"{name}.pem").encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise InvalidError(f"{folder / name}.pem is no RSA key")
    return key


def _read_merchant(folder: Path) -> dict[str, Any]:
    merchant: dict[str, Any] = json.loads(_read(folder / MERCHANT))
    return merchant


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InvalidError(f"there is no simulated gateway in {path.parent}: `parking gateway` makes one") from error


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(path)
