"""Which providers this installation has, from its settings: whole, or a clear word about what is missing."""

from typing import Final

from pydantic import SecretStr

from billing.providers.alipay.certificates import application_number, root_number
from billing.providers.alipay.merchant import AlipayMerchant
from billing.providers.alipay.provider import Alipay
from billing.providers.keys import read_private_key, read_public_key
from billing.providers.port import Channel, PaymentProvider
from billing.providers.wechat.merchant import WechatMerchant
from billing.providers.wechat.provider import WechatPay
from billing.providers.wechat.trust import PUBLIC_KEY_MARK
from core.errors import InvalidError
from core.settings import Settings

API_KEY_BYTES: Final = 32

_WECHAT: Final = (
    "wechat_merchant_id",
    "wechat_app_id",
    "wechat_serial",
    "wechat_private_key",
    "wechat_api_key",
)
_WECHAT_PAIRS: Final = (
    ("wechat_public_key_id", "wechat_public_key"),
    ("wechat_public_key_id_next", "wechat_public_key_next"),
)
_ALIPAY: Final = ("alipay_app_id", "alipay_seller_id", "alipay_private_key", "alipay_public_key")

_ALIPAY_CERTIFICATES: Final = ("alipay_app_certificate", "alipay_root_certificate")


def build_providers(settings: Settings) -> dict[str, PaymentProvider]:
    """A provider by name for each that is configured; empty where none is.

    Raises:
        InvalidError: one is configured in part, or a key is none; names the settings.
    """
    found: list[PaymentProvider] = []
    if merchant := wechat_merchant(settings):
        found.append(WechatPay(merchant))
    if seller := alipay_merchant(settings):
        found.append(Alipay(seller))
    return {provider.name: provider for provider in found}


def wechat_merchant(settings: Settings) -> WechatMerchant | None:
    """The merchant at WeChat Pay; None where nothing of it is set.

    Raises:
        InvalidError: see ``build_providers``.
    """
    if not _is_whole(settings, "WeChat Pay", _WECHAT, (*sum(_WECHAT_PAIRS, ()), "wechat_app_secret")):
        return None
    public_keys = {}
    for id_name, key_name in _WECHAT_PAIRS:
        if bool(_of(settings, id_name)) != bool(_of(settings, key_name)):
            raise InvalidError(f"{_variable(id_name)} and {_variable(key_name)} belong together: set both or none")
        if key_id := _of(settings, id_name):
            if not key_id.startswith(PUBLIC_KEY_MARK):
                raise InvalidError(f"{_variable(id_name)} begins with {PUBLIC_KEY_MARK}, unlike {key_id[:12]!r}")
            public_keys[key_id] = read_public_key(_of(settings, key_name), _variable(key_name))
    products = set(settings.wechat_products) - (set() if _of(settings, "wechat_app_secret") else {"jsapi"})
    return WechatMerchant(
        merchant_id=settings.wechat_merchant_id,
        app_id=settings.wechat_app_id,
        serial=settings.wechat_serial,
        private_key=read_private_key(_of(settings, "wechat_private_key"), _variable("wechat_private_key")),
        api_keys=tuple(
            _api_key(settings, name) for name in ("wechat_api_key", "wechat_api_key_previous") if _of(settings, name)
        ),
        public_keys=public_keys,
        app_secret=_of(settings, "wechat_app_secret"),
        channels=frozenset(Channel(f"wechat_{product}") for product in products),
        api_url=settings.wechat_api_url,
        oauth_url=settings.wechat_oauth_url,
        authorize_url=settings.wechat_authorize_url,
    )


def alipay_merchant(settings: Settings) -> AlipayMerchant | None:
    """The merchant at Alipay; None where nothing of it is set.

    Raises:
        InvalidError: see ``build_providers``.
    """
    if not _is_whole(settings, "Alipay", _ALIPAY, ("alipay_public_key_next", *_ALIPAY_CERTIFICATES)):
        return None
    return AlipayMerchant(
        app_id=settings.alipay_app_id,
        seller_id=settings.alipay_seller_id,
        private_key=read_private_key(_of(settings, "alipay_private_key"), _variable("alipay_private_key")),
        public_keys=tuple(
            read_public_key(_of(settings, name), _variable(name))
            for name in ("alipay_public_key", "alipay_public_key_next")
            if _of(settings, name)
        ),
        channels=frozenset(Channel(f"alipay_{product}") for product in settings.alipay_products),
        api_url=settings.alipay_api_url,
        certificate_numbers=_certificate_numbers(settings),
    )


def _certificate_numbers(settings: Settings) -> tuple[str, str] | None:
    application, roots = _ALIPAY_CERTIFICATES
    if not _of(settings, application) and not _of(settings, roots):
        return None
    if not _of(settings, application) or not _of(settings, roots):
        raise InvalidError(f"{_variable(application)} and {_variable(roots)} belong together: set both or none")
    return (
        application_number(_of(settings, application), _variable(application)),
        root_number(_of(settings, roots), _variable(roots)),
    )


def _is_whole(settings: Settings, provider: str, needed: tuple[str, ...], more: tuple[str, ...]) -> bool:
    """Whether all that is needed is set; False where nothing at all is."""
    if not any(_of(settings, name) for name in (*needed, *more)):
        return False
    if missing := [_variable(name) for name in needed if not _of(settings, name)]:
        raise InvalidError(f"{provider} is configured in part: set {', '.join(missing)} too", missing=missing)
    return True


def _api_key(settings: Settings, name: str) -> bytes:
    key = _of(settings, name).encode()
    if len(key) != API_KEY_BYTES:
        raise InvalidError(f"{_variable(name)} has {API_KEY_BYTES} characters, not {len(key)}", setting=_variable(name))
    return key


def _of(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _variable(name: str) -> str:
    return f"PARKING_{name.upper()}"
