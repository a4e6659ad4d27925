"""Both ways against the public SDKs: what we sign they believe, what they sign we believe, and the same of refusals."""

import json
import re
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from alipay.exceptions import AliPayValidationError  # type: ignore[import-untyped]  # the SDK has no types
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpayv3 import WeChatPay, WeChatPayType  # type: ignore[import-untyped]  # as above
from wechatpayv3.utils import (  # type: ignore[import-untyped]  # as above
    aes_decrypt,
    build_authorization,
    load_private_key,
    load_public_key,
    rsa_verify,
)

from billing.providers.alipay.signing import members_of, request_form
from billing.providers.port import Channel, OrderState
from billing.providers.wechat.signing import Seal, authorization, bridge, unseal
from tests.providers.strangers import (
    ALIPAY_APP_ID,
    API_KEY,
    APP_ID,
    MERCHANT_ID,
    NOW,
    PUBLIC_KEY_ID,
    SERIAL,
    AlipayStranger,
    WechatStranger,
    alipay,
    alipay_answer,
    alipay_merchant,
    alipay_notification,
    alipay_sdk,
    order,
    pem,
    private_key,
    public_pem,
    sealed,
    wechat,
    wechat_merchant,
    wechat_notification,
    wechat_seal,
    wechat_transaction,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.fixture(scope="module")
def wechat_sdk() -> Any:
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=MERCHANT_ID,
        private_key=pem(private_key("merchant")),
        cert_serial_no=SERIAL,
        appid=APP_ID,
        apiv3_key=API_KEY,
        public_key=public_pem(private_key("wechat")),
        public_key_id=PUBLIC_KEY_ID,
    )


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=st.sampled_from(["/v3/pay/transactions/native", "/v3/bill/tradebill?bill_date=2026-11-22&bill_type=ALL"]),
    words=st.dictionaries(TEXTS, TEXTS, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_wechat_requests_are_signed_as_the_sdk_signs_them(method: str, path: str, words: dict[str, str]) -> None:
    body = json.dumps(words, ensure_ascii=False).encode() if method == "POST" else b""
    stamp, nonce = int(time.time()), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
    ours = authorization(wechat_merchant(), method, path, body, timestamp=stamp, nonce=nonce)
    key = load_private_key(pem(private_key("merchant")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: float(stamp))
        theirs = build_authorization(path, method, MERCHANT_ID, SERIAL, key, data=body.decode(), nonce_str=nonce)
    parts = re.compile(r'(\w+)="([^"]*)"')
    assert dict(parts.findall(ours)) == dict(parts.findall(theirs))
    assert ours.split(" ")[0] == theirs.split(" ")[0]


def test_the_bridge_is_signed_as_the_sdk_signs_it(wechat_sdk: Any) -> None:
    ours = bridge(wechat_merchant(), "wx261153585405162d4d02642eabe7000000", timestamp=1795406400, nonce="n")
    theirs = wechat_sdk.sign([APP_ID, "1795406400", "n", "prepay_id=wx261153585405162d4d02642eabe7000000"])
    assert ours["paySign"] == theirs


@given(body=TEXTS, nonce=st.text("abcdefXYZ0123456789", min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_wechat_answers_are_judged_as_the_sdk_judges_them(body: str, nonce: str) -> None:
    headers = wechat_seal(body.encode(), nonce=nonce)
    key = load_public_key(public_pem(private_key("wechat")))
    seal = Seal.find(headers)
    assert seal is not None
    for text in (body, f"{body} ", body[1:]):
        theirs = rsa_verify(seal.timestamp, seal.nonce, text, seal.signature, key)
        assert seal.fits(private_key("wechat").public_key(), text.encode()) is theirs


async def test_one_notification_is_read_alike(wechat_sdk: Any) -> None:
    body = wechat_notification(wechat_transaction())
    headers = wechat_seal(body)
    theirs = wechat_sdk.callback(headers, body)["resource"]
    ours = (await wechat(WechatStranger()).read_notification(headers, body)).about
    assert isinstance(ours, OrderState)
    assert (ours.order_no, ours.transaction_id) == (theirs["out_trade_no"], theirs["transaction_id"])
    assert ours.total_fen == theirs["amount"]["total"]


def test_the_sdk_knows_no_age_and_we_do(wechat_sdk: Any) -> None:
    body = wechat_notification(wechat_transaction())
    seal = wechat_seal(body, stamp="1")
    assert wechat_sdk.callback(seal, body)
    found = Seal.find(seal)
    assert found is not None
    assert not found.is_fresh(NOW.timestamp(), 300)


@given(content=TEXTS, associated=st.sampled_from(["", "transaction", "certificate"]))
@settings(max_examples=60, deadline=None)
def test_what_is_sealed_opens_alike(content: str, associated: str) -> None:
    resource = sealed(content.encode(), associated=associated)
    theirs = aes_decrypt(resource["nonce"], resource["ciphertext"], associated, API_KEY)
    assert unseal(resource, [API_KEY.encode()]).decode() == theirs == content


@given(subject=TEXTS)
@settings(max_examples=60, deadline=None)
def test_alipay_requests_are_believed_by_the_sdk(subject: str) -> None:
    form = request_form(alipay_merchant(), "alipay.trade.query", {"subject": subject}, at=NOW, extra={"notify_url": ""})
    fields = dict(parse_qsl(form.decode(), keep_blank_values=True))
    signature = fields.pop("sign")
    message = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    assert alipay_sdk("alipay")._verify(message, signature)  # noqa: SLF001 - the oracle's own verifier
    assert not alipay_sdk("alipay")._verify(f"{message} ", signature)  # noqa: SLF001 - as above


async def test_a_page_is_signed_as_the_sdk_signs_it() -> None:
    opened = await alipay(AlipayStranger()).create(order(Channel.ALIPAY_WAP))
    fields = dict(parse_qsl(urlsplit(opened.pay_url or "").query))
    ours = fields.pop("sign")
    theirs = dict(parse_qsl(alipay_sdk("merchant").sign_data(fields)))["sign"]
    assert ours == theirs


async def test_an_alipay_notification_is_read_alike() -> None:
    body = alipay_notification()
    theirs = dict(parse_qsl(body.decode(), keep_blank_values=True))
    signature = theirs.pop("sign")
    assert alipay_sdk("merchant").verify(dict(theirs), signature)
    ours = (await alipay(AlipayStranger()).read_notification({}, body)).about
    assert ours.order_no == theirs["out_trade_no"]


def test_the_sdk_checks_no_merchant_and_we_do() -> None:
    theirs = dict(parse_qsl(alipay_notification(app_id="2021000000000009").decode(), keep_blank_values=True))
    signature = theirs.pop("sign")
    assert theirs["app_id"] != ALIPAY_APP_ID
    assert alipay_sdk("merchant").verify(theirs, signature)


def test_synchronous_answers_are_judged_alike() -> None:
    name = "alipay_trade_query_response"
    plain = '{"code": "10000",  "out_trade_no":"P1", "more":{"a":[1, {"b":2}]}}'
    signature = alipay_sdk("alipay")._sign(plain)  # noqa: SLF001 - the oracle's own signer
    for answer in (plain, plain.replace("P1", "P2")):
        text = f'{{"{name}":{answer},"sign":"{signature}"}}'
        assert members_of(text)[name][1] == answer
        oracle = alipay_sdk("merchant")
        if answer == plain:
            assert oracle._verify_and_return_sync_response(text, name) == json.loads(plain)  # noqa: SLF001 - the oracle
        else:
            with pytest.raises(AliPayValidationError):
                oracle._verify_and_return_sync_response(text, name)  # noqa: SLF001 - the oracle


def test_braces_inside_texts_are_read_as_json_reads_them() -> None:
    text = alipay_answer("alipay.trade.query", {"code": "10000"}).decode()
    assert members_of(text)["alipay_trade_query_response"][0]["msg"] == 'a "brace" } in a text'


@given(st.dictionaries(TEXTS, st.recursive(TEXTS | st.integers() | st.none(), st.lists, max_leaves=5), max_size=4))
def test_members_are_those_of_the_json_reader(document: dict[str, Any]) -> None:
    for text in (json.dumps(document), json.dumps(document, indent=2, ensure_ascii=False)):
        found = members_of(text)
        assert {name: value for name, (value, _) in found.items()} == document
        assert all(json.loads(characters) == document[name] for name, (_, characters) in found.items())


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a"', '{"a":1', '{"a":1,}x', '{"a":1}{}', '{"a":1,"a":2}', "{1:2}", "nul"]
)
def test_no_object_has_no_members(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        members_of(text)
