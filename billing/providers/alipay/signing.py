"""What Alipay signs, and the signatures made of it (RSA2). Pure.

Source: Alipay open platform, signing of requests, of synchronous answers and of asynchronous notifications.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus, urlencode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from billing.providers.alipay.merchant import AlipayMerchant
from billing.providers.calendar import PROVIDERS_ZONE
from billing.providers.keys import is_signed, sign

SIGN_TYPE: Final = "RSA2"
TIME: Final = "%Y-%m-%d %H:%M:%S"
_UNSIGNED: Final = frozenset({"sign", "sign_type"})


def request_form(
    merchant: AlipayMerchant, method: str, content: Mapping[str, Any], *, at: datetime, extra: Mapping[str, str | None]
) -> bytes:
    """A signed request, encoded as a form or a query string.

    Args:
        merchant: who asks.
        method: Alipay's name of the call, ``alipay.trade.query``.
        content: the call's own parameters, sent as ``biz_content``.
        at: real time.
        extra: ``notify_url``, ``return_url``; empty ones are left out, as Alipay does when it verifies.
    """
    parameters = {
        "app_id": merchant.app_id,
        "method": method,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": SIGN_TYPE,
        "timestamp": written(at),
        "version": "1.0",
        "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        **{name: value for name, value in extra.items() if value},
    }
    if merchant.certificate_numbers is not None:
        parameters["app_cert_sn"], parameters["alipay_root_cert_sn"] = merchant.certificate_numbers
    message = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    parameters["sign"] = sign(merchant.private_key, message.encode())
    return urlencode(parameters).encode()


def written(at: datetime) -> str:
    """An instant as Alipay writes it: its own calendar's time, no offset."""
    return at.astimezone(PROVIDERS_ZONE).strftime(TIME)


def instant_of(text: str) -> datetime:
    """The instant of such a text, with or without a fraction of a second.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(text.partition(".")[0], TIME).replace(tzinfo=PROVIDERS_ZONE).astimezone(UTC)


def members_of(text: str) -> dict[str, tuple[Any, str]]:
    """The members of a JSON object, each as a value and as the exact characters it was written with.

    Raises:
        ValueError: it is no JSON object, or a name comes twice, so that two readers may read two different answers.
    """
    decoder, found, at = json.JSONDecoder(), {}, _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("not a JSON object")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if not isinstance(name, str) or name in found or text[at : at + 1] != ":":
            raise ValueError("not a JSON object with each name once")
        begin = _skip(text, at + 1)
        value, end = decoder.raw_decode(text, begin)
        found[name] = (value, text[begin:end])
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise ValueError("not a JSON object")
    if text[at + 1 :].strip():
        raise ValueError("more than a JSON object")
    return found


def is_signed_by_any(keys: Sequence[RSAPublicKey], message: bytes, signature: str) -> bool:
    """Whether one of Alipay's keys signed exactly these bytes."""
    return any(is_signed(key, message, signature) for key in keys)


def form_of(body: bytes) -> dict[str, str]:
    """A notification's fields, decoded once.

    Raises:
        ValueError: not UTF-8, or a name comes twice.
    """
    found: dict[str, str] = {}
    for pair in body.decode("ascii").split("&"):
        name, _, value = (unquote_plus(part, errors="strict") for part in pair.partition("="))
        if name in found:
            raise ValueError("a field comes twice")
        found[name] = value
    return found


def notified_message(form: Mapping[str, str]) -> bytes:
    """The bytes whose signature a notification carries: every field but the signature, by name."""
    return "&".join(f"{name}={value}" for name, value in sorted(form.items()) if name not in _UNSIGNED).encode()


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\r", "\n"}:
        at += 1
    return at
