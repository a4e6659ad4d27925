"""Stand-ins of the two providers: keys, and answers signed by the public SDKs, not by our own code."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import httpx
from alipay import AliPay  # type: ignore[import-untyped]  # the SDK has no types
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from wechatpayv3.utils import rsa_sign  # type: ignore[import-untyped]  # the SDK has no types

from billing.providers.alipay.merchant import AlipayMerchant
from billing.providers.alipay.provider import Alipay
from billing.providers.port import Channel, Order, RefundOrder
from billing.providers.wechat.merchant import WechatMerchant
from billing.providers.wechat.provider import WechatPay
from core.money import Fen

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
API_KEY = "0123456789abcdefghijABCDEFGHIJ!?"
PUBLIC_KEY_ID = "PUB_KEY_ID_0100000000012026112300000000"
MERCHANT_ID, APP_ID, SERIAL = "1900000109", "wx8888888888888888", "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"
ALIPAY_APP_ID, SELLER_ID = "2021000000000001", "2088000000000015"
ALIPAY_URL = "https://alipay.test/gateway.do"

ORDER_NO = "P20261123040000A1B2C3"
REFUND_NO = "R20261123040500A1B2C3"


@cache
def private_key(whose: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def order(channel: Channel, **changed: Any) -> Order:
    given: dict[str, Any] = {
        "order_no": ORDER_NO,
        "channel": channel,
        "amount_fen": Fen(600),
        "description": "停车费 KL-017",
        "notify_url": "https://parking.test/api/v1/notify/x",
        "return_url": "https://parking.test/s/KL-017?k=abc",
        "expires_at": NOW + timedelta(minutes=15),
        "payer_id": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "payer_ip": "203.0.113.9",
    }
    return Order(**{**given, **changed})


def refund_order() -> RefundOrder:
    return RefundOrder(
        order_no=ORDER_NO,
        refund_no=REFUND_NO,
        amount_fen=Fen(200),
        total_fen=Fen(600),
        reason="paid twice",
        notify_url="https://parking.test/api/v1/notify/wechat",
    )


@cache
def certificate(whose: str, *, days: int = 30) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign test")])
    key = private_key(whose)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(whose.encode().ljust(8, b"x")))
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def serial_of(whose: str) -> str:
    return f"{certificate(whose).serial_number:X}"


def sealed(content: bytes, *, api_key: str = API_KEY, associated: str = "transaction") -> dict[str, str]:
    nonce = "fdasflkja484"
    ciphertext = AESGCM(api_key.encode()).encrypt(nonce.encode(), content, associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "nonce": nonce,
        "associated_data": associated,
        "original_type": associated,
    }


def wechat_seal(
    body: bytes, *, serial: str = PUBLIC_KEY_ID, whose: str = "wechat", stamp: str = STAMP, nonce: str = "n0nce"
) -> dict[str, str]:
    """Headers as WeChat sends them, signed by wechatpayv3."""
    signature = rsa_sign(private_key(whose), f"{stamp}\n{nonce}\n{body.decode()}\n")
    return {
        "Wechatpay-Serial": serial,
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }


Answer = tuple[int, Any]


@dataclass(slots=True)
class WechatStranger:
    """Answers with what a test laid out by method and path, signed."""

    answers: dict[str, Answer | Exception] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    serial: str = PUBLIC_KEY_ID
    whose: str = "wechat"
    at: datetime = NOW
    change: Callable[[httpx.Response], httpx.Response] = lambda response: response

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}", (404, b""))
        if isinstance(answer, Exception):
            raise answer
        status, content = answer
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        headers = {} if isinstance(content, bytes) else self.seal(body)
        date = self.at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return self.change(httpx.Response(status, headers={**headers, "Date": date}, content=body))

    def seal(self, body: bytes) -> dict[str, str]:
        return wechat_seal(body, serial=self.serial, whose=self.whose, stamp=str(int(self.at.timestamp())))


def wechat_merchant(**changed: Any) -> WechatMerchant:
    given: dict[str, Any] = {
        "merchant_id": MERCHANT_ID,
        "app_id": APP_ID,
        "serial": SERIAL,
        "private_key": private_key("merchant"),
        "api_keys": (API_KEY.encode(),),
        "public_keys": {PUBLIC_KEY_ID: private_key("wechat").public_key()},
        "app_secret": "the-secret-of-the-official-account",
        "channels": frozenset({Channel.WECHAT_NATIVE, Channel.WECHAT_JSAPI, Channel.WECHAT_H5}),
        "api_url": "https://wechat.test",
        "oauth_url": "https://oauth.test",
        "authorize_url": "https://open.test/authorize",
    }
    return WechatMerchant(**{**given, **changed})


def wechat(stranger: WechatStranger, *, now: datetime = NOW, **changed: Any) -> WechatPay:
    return WechatPay(wechat_merchant(**changed), transport=httpx.MockTransport(stranger), now=lambda: now)


def wechat_transaction(**changed: Any) -> dict[str, Any]:
    return {
        "mchid": MERCHANT_ID,
        "appid": APP_ID,
        "out_trade_no": ORDER_NO,
        "transaction_id": "4200000000202611230000000001",
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "success_time": "2026-11-23T11:59:30+08:00",
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": 600, "payer_total": 500, "currency": "CNY", "payer_currency": "CNY"},
        **changed,
    }


def wechat_refund(**changed: Any) -> dict[str, Any]:
    return {
        "out_trade_no": ORDER_NO,
        "out_refund_no": REFUND_NO,
        "refund_id": "50000000000000000000000000001",
        "transaction_id": "4200000000202611230000000001",
        "status": "PROCESSING",
        "amount": {"total": 600, "refund": 200, "payer_total": 600, "payer_refund": 200},
        **changed,
    }


def wechat_notification(content: Mapping[str, Any], *, event: str = "TRANSACTION.SUCCESS", **sealing: str) -> bytes:
    envelope = {
        "id": "EV-2018022511223320873",
        "create_time": "2026-11-23T11:59:31+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功",
        "resource": sealed(json.dumps(content).encode(), **sealing),
    }
    return json.dumps(envelope, ensure_ascii=False).encode()


def alipay_sdk(whose: str) -> AliPay:
    """python-alipay-sdk; ``merchant`` signs our requests, ``alipay`` signs as Alipay itself would."""
    own, other = ("merchant", "alipay") if whose == "merchant" else ("alipay", "merchant")
    return AliPay(
        appid=ALIPAY_APP_ID,
        app_private_key_string=pem(private_key(own)),
        alipay_public_key_string=public_pem(private_key(other)),
        sign_type="RSA2",
    )


@dataclass(slots=True)
class AlipayStranger:
    """Answers with what a test laid out by method, the exact characters signed by python-alipay-sdk."""

    answers: dict[str, Mapping[str, Any] | bytes | Exception] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    change: Callable[[bytes], bytes] = lambda body: body
    status: int = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            content = self.answers[request.url.path]
            assert isinstance(content, bytes)
            return httpx.Response(200, content=content)
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        self.asked.append(form)
        answer = self.answers[form["method"]]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return httpx.Response(self.status, content=answer)
        body = alipay_answer(form["method"], answer)
        return httpx.Response(self.status, content=self.change(body))


def alipay_answer(method: str, answer: Mapping[str, Any]) -> bytes:
    # spaces and a brace in a text: only the very same characters verify
    characters = json.dumps({**answer, "msg": 'a "brace" } in a text'}, ensure_ascii=False, indent=1)
    signature = alipay_sdk("alipay")._sign(characters)  # noqa: SLF001 - the oracle's own signer
    return f'{{"{method.replace(".", "_")}_response":{characters},"sign":"{signature}"}}'.encode()


def alipay_merchant(**changed: Any) -> AlipayMerchant:
    given: dict[str, Any] = {
        "app_id": ALIPAY_APP_ID,
        "seller_id": SELLER_ID,
        "private_key": private_key("merchant"),
        "public_keys": (private_key("alipay").public_key(),),
        "channels": frozenset({Channel.ALIPAY_PRECREATE, Channel.ALIPAY_WAP, Channel.ALIPAY_PAGE}),
        "api_url": ALIPAY_URL,
    }
    return AlipayMerchant(**{**given, **changed})


def alipay(stranger: AlipayStranger, *, now: datetime = NOW, **changed: Any) -> Alipay:
    return Alipay(alipay_merchant(**changed), transport=httpx.MockTransport(stranger), now=lambda: now)


def alipay_notification(**changed: str | None) -> bytes:
    """A form signed by python-alipay-sdk."""
    fields: dict[str, str | None] = {
        "notify_time": "2026-11-23 11:59:40",
        "notify_type": "trade_status_sync",
        "notify_id": "2026112300222115940000000001",
        "app_id": ALIPAY_APP_ID,
        "seller_id": SELLER_ID,
        "charset": "utf-8",
        "version": "1.0",
        "trade_no": "2026112322001400000000000001",
        "out_trade_no": ORDER_NO,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "6.00",
        "receipt_amount": "5.00",
        "subject": "停车费 KL-017 & more + = %",
        "body": "",
        "gmt_payment": "2026-11-23 11:59:30",
        **changed,
    }
    form = {name: value for name, value in fields.items() if value is not None}
    message = "&".join(f"{name}={value}" for name, value in sorted(form.items()))
    signature = alipay_sdk("alipay")._sign(message)  # noqa: SLF001 - the oracle's own signer
    pairs = {**form, "sign_type": "RSA2", "sign": signature}
    return "&".join(f"{name}={quote_plus(value)}" for name, value in pairs.items()).encode()
