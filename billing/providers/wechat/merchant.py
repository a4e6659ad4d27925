"""A merchant of WeChat Pay: who we are there and the keys on both sides. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from billing.providers.port import Channel

NAME = "wechat"


@dataclass(frozen=True, slots=True, kw_only=True)
class WechatMerchant:
    """What the merchant's console shows, read and checked."""

    merchant_id: str
    app_id: str
    serial: str
    """Of our certificate, by which WeChat knows which of our keys signed."""
    private_key: RSAPrivateKey = field(repr=False)
    api_keys: tuple[bytes, ...] = field(repr=False)
    """The APIv3 key, then the one before it if that may still be in use."""
    public_keys: Mapping[str, RSAPublicKey]
    """WeChat's public keys by id, the one in use first; empty: platform certificates."""
    app_secret: str = field(repr=False, default="")
    channels: frozenset[Channel]
    api_url: str
    oauth_url: str
    authorize_url: str
