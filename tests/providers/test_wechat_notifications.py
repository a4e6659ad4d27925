"""WeChat Pay's notifications: theirs are understood, everything else is refused by name."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.providers.port import (
    ForgedError,
    NotReadableError,
    OrderState,
    OrderStatus,
    RefundState,
    RefundStatus,
)
from tests.providers.strangers import (
    NOW,
    ORDER_NO,
    PUBLIC_KEY_ID,
    REFUND_NO,
    STAMP,
    WechatStranger,
    certificate,
    sealed,
    serial_of,
    wechat,
    wechat_notification,
    wechat_refund,
    wechat_seal,
    wechat_transaction,
)

BODY = wechat_notification(wechat_transaction())
SEAL = wechat_seal(BODY)
CERTIFICATES = "GET /v3/certificates"


async def refused(headers: dict[str, str], body: bytes) -> tuple[type[Exception], object]:
    with pytest.raises((ForgedError, NotReadableError)) as refusal:
        await wechat(WechatStranger()).read_notification(headers, body)
    return refusal.type, refusal.value.facts["why"]


async def test_a_payment_is_understood() -> None:
    heard = await wechat(WechatStranger()).read_notification(SEAL, BODY)
    assert heard.key == "EV-2018022511223320873"
    assert isinstance(heard.about, OrderState)
    assert (heard.about.order_no, heard.about.status, heard.about.total_fen) == (ORDER_NO, OrderStatus.PAID, 600)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("REFUND.SUCCESS", RefundStatus.SUCCEEDED),
        ("REFUND.ABNORMAL", RefundStatus.ABNORMAL),
        ("REFUND.CLOSED", RefundStatus.FAILED),
    ],
)
async def test_a_refund_is_understood(event: str, status: RefundStatus) -> None:
    content = wechat_refund(mchid="1900000109", refund_status=event.removeprefix("REFUND."))
    del content["status"]
    body = wechat_notification(content, event=event, associated="refund")
    heard = await wechat(WechatStranger()).read_notification(wechat_seal(body), body)
    assert isinstance(heard.about, RefundState)
    assert (heard.about.refund_no, heard.about.status, heard.about.amount_fen) == (REFUND_NO, status, 200)


async def test_headers_may_come_in_any_case() -> None:
    lower = {name.lower(): value for name, value in SEAL.items()}
    assert (await wechat(WechatStranger()).read_notification(lower, BODY)).key


async def test_f01_the_same_bytes_again_are_the_same_notification() -> None:
    provider = wechat(WechatStranger())
    first = await provider.read_notification(SEAL, BODY)
    assert await provider.read_notification(SEAL, BODY) is first


async def test_a_repetition_signed_anew_has_the_same_key() -> None:
    provider = wechat(WechatStranger())
    first = await provider.read_notification(SEAL, BODY)
    again = await provider.read_notification(wechat_seal(BODY, nonce="another"), BODY)
    assert again.key == first.key


async def test_a_nonce_used_for_something_else_is_refused() -> None:
    provider = wechat(WechatStranger())
    await provider.read_notification(SEAL, BODY)
    other = wechat_notification(wechat_transaction(out_trade_no="P20261123040000OTHER"))
    with pytest.raises(ForgedError):
        await provider.read_notification(wechat_seal(other), other)


@pytest.mark.parametrize("seconds", [301, -301, 7200])
async def test_f20_an_old_notification_is_refused(seconds: int) -> None:
    stamp = str(int((NOW - timedelta(seconds=seconds)).timestamp()))
    assert await refused(wechat_seal(BODY, stamp=stamp), BODY) == (ForgedError, "age")


@pytest.mark.parametrize("seconds", [300, -300])
async def test_five_minutes_are_fresh(seconds: int) -> None:
    stamp = str(int((NOW - timedelta(seconds=seconds)).timestamp()))
    assert (await wechat(WechatStranger()).read_notification(wechat_seal(BODY, stamp=stamp), BODY)).key


@pytest.mark.parametrize("stamp", ["", "soon", "1e9", "-5", "١٢٣", "9" * 5000, " " + STAMP])
async def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    assert (await refused({**SEAL, "Wechatpay-Timestamp": stamp}, BODY))[0] is ForgedError


@pytest.mark.parametrize("header", ["Serial", "Timestamp", "Nonce", "Signature"])
async def test_f18_a_missing_header_is_refused(header: str) -> None:
    headers = {name: value for name, value in SEAL.items() if name != f"Wechatpay-{header}"}
    assert await refused(headers, BODY) == (ForgedError, "unsigned")


@pytest.mark.parametrize("signature", ["QUJD", "not base64", "é", "=" * 9, "A" * 100_000])
async def test_f18_a_wrong_signature_is_refused(signature: str) -> None:
    assert await refused({**SEAL, "Wechatpay-Signature": signature}, BODY) == (ForgedError, "signature")


async def test_f19_the_providers_own_test_is_refused_by_name() -> None:
    headers = {**SEAL, "Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + SEAL["Wechatpay-Signature"]}
    assert await refused(headers, BODY) == (ForgedError, "probe")


async def test_f21_an_unknown_public_key_is_ours_to_mend() -> None:
    assert await refused(wechat_seal(BODY, serial="PUB_KEY_ID_NEW"), BODY) == (NotReadableError, "serial")


async def test_f21_a_new_certificate_is_fetched_once() -> None:
    listed = {
        "data": [
            {
                "encrypt_certificate": sealed(
                    certificate("platform").public_bytes(Encoding.PEM), associated="certificate"
                )
            }
        ]
    }
    stranger = WechatStranger({CERTIFICATES: (200, listed)}, serial=serial_of("platform"), whose="platform")
    provider = wechat(stranger)
    assert (
        await provider.read_notification(wechat_seal(BODY, serial=serial_of("platform"), whose="platform"), BODY)
    ).key
    for _ in range(5):
        with pytest.raises(NotReadableError):
            await provider.read_notification(wechat_seal(BODY, serial="ABCDEF"), BODY)
    assert len(stranger.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + BODY,
        BODY + b"\n",
        json.dumps(json.loads(BODY)).encode(),
        BODY[:-10],
        b"",
    ],
)
async def test_f22_a_body_that_a_proxy_rewrote_is_refused(body: bytes) -> None:
    assert await refused(SEAL, body) == (ForgedError, "signature")


async def test_f23_another_api_key_is_ours_to_mend() -> None:
    body = wechat_notification(wechat_transaction(), api_key="another key of exactly 32 bytes!")
    assert await refused(wechat_seal(body), body) == (NotReadableError, "sealed")


async def test_the_api_key_before_opens_too() -> None:
    body = wechat_notification(wechat_transaction(), api_key="the key before, of 32 characters")
    keys = (b"0123456789abcdefghijABCDEFGHIJ!?", b"the key before, of 32 characters")
    assert (await wechat(WechatStranger(), api_keys=keys).read_notification(wechat_seal(body), body)).key


@pytest.mark.parametrize("change", [{"mchid": "1900000110"}, {"appid": "wx1"}, {"mchid": None}])
async def test_f16_another_merchants_notification_is_refused(change: dict[str, object]) -> None:
    body = wechat_notification(wechat_transaction(**change))
    assert await refused(wechat_seal(body), body) == (ForgedError, "merchant")


async def test_a_kind_nobody_asked_for_is_ours_to_look_at() -> None:
    body = wechat_notification(wechat_transaction(), event="PAYSCORE.USER_PAID")
    assert await refused(wechat_seal(body), body) == (NotReadableError, "kind")


@pytest.mark.parametrize("text", [b"[]", b"null", b"{}", b'{"resource":1}', b'{"resource":{"algorithm":"x"}}', b"\xff"])
async def test_a_genuine_notification_in_a_strange_shape_is_ours_to_look_at(text: bytes) -> None:
    if text == b"\xff":
        text = b"nonsense"
    assert await refused(wechat_seal(text), text) == (NotReadableError, "sealed")


@settings(max_examples=400, deadline=None)
@given(place=st.integers(min_value=0, max_value=8 * len(BODY) - 1))
async def test_no_bit_of_the_body_may_differ(place: int) -> None:
    body = bytearray(BODY)
    body[place // 8] ^= 1 << place % 8
    assert (await refused(SEAL, bytes(body)))[0] is ForgedError


@settings(max_examples=300, deadline=None)
@given(
    header=st.sampled_from(["Timestamp", "Nonce", "Signature"]),
    at=st.integers(0, 400),
    to=st.characters(max_codepoint=127),
)
async def test_no_character_of_the_seal_may_differ(header: str, at: int, to: str) -> None:
    name = f"Wechatpay-{header}"
    value = SEAL[name]
    at %= len(value)
    changed = value[:at] + to + value[at + 1 :]
    if changed != value:
        assert (await refused({**SEAL, name: changed}, BODY))[0] is ForgedError


@settings(max_examples=200, deadline=None)
@given(part=st.sampled_from(["ciphertext", "nonce", "associated_data"]), at=st.integers(0, 2000), bit=st.integers(0, 6))
async def test_what_is_sealed_opens_only_unchanged(part: str, at: int, bit: int) -> None:
    envelope = json.loads(BODY)
    value = envelope["resource"][part]
    at %= len(value)
    envelope["resource"][part] = value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :]
    body = json.dumps(envelope).encode()
    assert await refused(wechat_seal(body), body) == (NotReadableError, "sealed")


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=300), headers=st.dictionaries(st.sampled_from(sorted(SEAL)), st.text(max_size=40)))
async def test_noise_is_refused_by_name(body: bytes, headers: dict[str, str]) -> None:
    await refused({**SEAL, **headers}, body)


def test_acknowledgements_are_what_wechat_looks_at() -> None:
    provider = wechat(WechatStranger())
    assert provider.acknowledge(taken=True).status == 200
    assert provider.acknowledge(taken=False).status == 500


def test_the_key_in_use_is_named_first() -> None:
    assert SEAL["Wechatpay-Serial"] == PUBLIC_KEY_ID
