"""A merchant of Alipay: who we are there and the keys on both sides. Pure."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from billing.providers.port import Channel

NAME = "alipay"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipayMerchant:
    """What the application's page shows, read and checked."""

    app_id: str
    seller_id: str
    private_key: RSAPrivateKey = field(repr=False)
    public_keys: tuple[RSAPublicKey, ...]
    """Alipay's, each believed."""
    channels: frozenset[Channel]
    api_url: str
    certificate_numbers: tuple[str, str] | None = None
    """Of the application's certificate and of Alipay's roots; None: the application signs with a plain key."""
