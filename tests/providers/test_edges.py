"""The edges of the adapters: amounts, keys, settings, and what may be said of it all."""

import asyncio
import base64
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from billing.providers import line
from billing.providers.alipay.provider import Alipay
from billing.providers.configured import build_providers
from billing.providers.keys import read_private_key, read_public_key
from billing.providers.port import Channel, ProviderUnavailableError
from billing.providers.redaction import without_names, without_query
from billing.providers.wechat.provider import WechatPay
from billing.providers.yuan import NotAnAmountError, exact_yuan, fen_of, rounded_fen, yuan_of
from core.errors import InvalidError
from core.money import Fen
from core.settings import Settings
from tests.providers.strangers import (
    API_KEY,
    NOW,
    PUBLIC_KEY_ID,
    WechatStranger,
    certificate,
    pem,
    private_key,
    public_pem,
    wechat,
)

WECHAT = {
    "wechat_merchant_id": "1900000109",
    "wechat_app_id": "wx8888888888888888",
    "wechat_serial": "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C",
    "wechat_api_key": SecretStr(API_KEY),
}
ALIPAY = {"alipay_app_id": "2021000000000001", "alipay_seller_id": "2088000000000015"}


def with_wechat(**changed: object) -> Settings:
    key = SecretStr(pem(private_key("merchant")))
    return Settings.model_validate({**WECHAT, "wechat_private_key": key, **changed})


def with_alipay(**changed: object) -> Settings:
    own, theirs = SecretStr(pem(private_key("merchant"))), SecretStr(public_pem(private_key("alipay")))
    return Settings.model_validate({**ALIPAY, "alipay_private_key": own, "alipay_public_key": theirs, **changed})


@given(st.integers(min_value=0, max_value=10**12))
def test_fen_to_yuan_and_back(fen: int) -> None:
    assert fen_of(yuan_of(Fen(fen))) == fen


@pytest.mark.parametrize(("text", "fen"), [("6", 600), ("6.0", 600), ("0.01", 1), ("-2.00", -200), ("0.29", 29)])
def test_yuan_are_exact(text: str, fen: int) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text", ["", "6.001", "6e2", ".5", "5.", "NaN", "1,000.00", " 6.00", "６.00", "+6.00", "6.00\n"]
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(NotAnAmountError):
        fen_of(text)


@pytest.mark.parametrize(("text", "fen"), [("0.03600", 4), ("0.00500", 1), ("0.00499", 0), ("-0.00500", -1)])
def test_a_commission_is_rounded_half_away_from_zero(text: str, fen: int) -> None:
    assert rounded_fen(exact_yuan(text)) == fen


def bare(text: str) -> str:
    return "".join(line for line in text.splitlines() if "-----" not in line)


def test_keys_come_as_pem_as_a_bare_line_and_in_a_certificate() -> None:
    key = private_key("merchant")
    old = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    for text in (pem(key), f"\n{pem(key)}\n", old, bare(pem(key)), bare(old)):
        assert read_private_key(text, "X").private_numbers() == key.private_numbers()
    listed = certificate("merchant").public_bytes(serialization.Encoding.PEM).decode()
    for text in (public_pem(key), bare(public_pem(key)), listed):
        assert read_public_key(text, "X").public_numbers() == key.public_key().public_numbers()


def test_what_is_no_key_is_named_and_not_shown() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - too small on purpose
    curve = ec.generate_private_key(ec.SECP256R1())
    other = curve.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for text in (
        pem(small),
        other,
        "s3cret",
        base64.b64encode(b"s3cret").decode(),
        "-----BEGIN s3cret",
        public_pem(small),
    ):
        for read in (read_private_key, read_public_key):
            with pytest.raises(InvalidError, match="PARKING_X") as refusal:
                read(text, "PARKING_X")
            assert "s3cret" not in refusal.value.message


def test_nothing_configured_is_no_provider() -> None:
    assert build_providers(Settings()) == {}


def test_both_configured_are_both_offered() -> None:
    settings = Settings.model_validate({**dict(with_wechat()), **dict(with_alipay()), **dict(WECHAT), **dict(ALIPAY)})
    merged = settings.model_copy(update={"wechat_private_key": SecretStr(pem(private_key("merchant")))})
    assert set(build_providers(merged)) == {"wechat", "alipay"}


def test_jsapi_needs_the_accounts_secret() -> None:
    (without,) = build_providers(with_wechat()).values()
    assert without.channels == {Channel.WECHAT_NATIVE, Channel.WECHAT_H5}
    (provider,) = build_providers(with_wechat(wechat_app_secret=SecretStr("x"))).values()
    assert isinstance(provider, WechatPay)
    assert Channel.WECHAT_JSAPI in provider.channels


def test_products_are_those_of_the_contract() -> None:
    (provider,) = build_providers(with_alipay(alipay_products=("wap",))).values()
    assert isinstance(provider, Alipay)
    assert provider.channels == {Channel.ALIPAY_WAP}


@pytest.mark.parametrize("missing", [*WECHAT, "wechat_private_key"])
def test_half_of_wechat_names_the_other_half(missing: str) -> None:
    empty = "" if isinstance(with_wechat().model_dump()[missing], str) else SecretStr("")
    with pytest.raises(InvalidError, match=f"PARKING_{missing.upper()}"):
        build_providers(with_wechat(**{missing: empty}))


@pytest.mark.parametrize("missing", [*ALIPAY, "alipay_private_key", "alipay_public_key"])
def test_half_of_alipay_names_the_other_half(missing: str) -> None:
    empty = "" if isinstance(with_alipay().model_dump()[missing], str) else SecretStr("")
    with pytest.raises(InvalidError, match=f"PARKING_{missing.upper()}"):
        build_providers(with_alipay(**{missing: empty}))


@pytest.mark.parametrize(
    "changed",
    [
        {"wechat_api_key": SecretStr("too short")},
        {"wechat_api_key_previous": SecretStr("too short")},
        {"wechat_public_key_id": PUBLIC_KEY_ID},
        {"wechat_public_key": SecretStr("x")},
        {"wechat_public_key_id": "1DDE", "wechat_public_key": SecretStr(public_pem(private_key("wechat")))},
        {"wechat_private_key": SecretStr("no key")},
    ],
)
def test_a_setting_that_cannot_be_right_is_named(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidError, match="PARKING_WECHAT_"):
        build_providers(with_wechat(**changed))


def test_a_secret_may_come_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(f"{API_KEY}\n")
    monkeypatch.setenv("PARKING_WECHAT_API_KEY_FILE", str(file))
    assert Settings().wechat_api_key.get_secret_value() == API_KEY
    monkeypatch.setenv("PARKING_WECHAT_API_KEY", "the variable itself wins")
    assert Settings().wechat_api_key.get_secret_value() == "the variable itself wins"


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_ALIPAY_PRIVATE_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(InvalidError, match="PARKING_ALIPAY_PRIVATE_KEY_FILE"):
        Settings()


def test_what_is_said_of_a_conversation_names_nobody() -> None:
    said = without_query("GET https://api.test/sns/oauth2/access_token?secret=s3cret&code=c0de HTTP/1.1")
    assert said == "GET https://api.test/sns/oauth2/access_token?*** HTTP/1.1"
    assert "oUpF8uMuAJO" not in without_names("openid oUpF8uMuAJO_M2pxb1Q9zNjWeS6o 不匹配")


async def test_no_secret_reaches_a_log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in ((200, b'{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}'), httpx.ConnectTimeout("x"), (500, b"")):
        provider = wechat(WechatStranger({"GET /sns/oauth2/access_token": answer}), now=NOW)
        with contextlib.suppress(ProviderUnavailableError):
            await provider.recognition.openid("the-payers-code")
    out, err = capsys.readouterr()
    said = caplog.text + out + err
    assert "access_token" in said
    for secret in ("the-secret-of-the-official-account", "the-payers-code", "oUpF8uMuAJO"):
        assert secret not in said


class Drops(httpx.AsyncByteStream):
    """A body that never ends."""

    def __init__(self, size: int, seconds: float) -> None:
        self._drop, self._seconds = b"x" * size, seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self._seconds)
            yield self._drop


@pytest.mark.parametrize(("size", "seconds"), [(1, 0.01), (1024 * 1024, 0)])
async def test_an_answer_without_an_end_is_none(size: int, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LONGEST_SECONDS", 0.2 if seconds else 60.0)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Drops(size, seconds)))
    with pytest.raises(ProviderUnavailableError):
        await line.Line("wechat", transport).send("GET", "https://wechat.test/", {})
