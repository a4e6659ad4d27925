"""What the doctor says of payments."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from core.settings import Settings
from ops.checks.finding import Verdict
from ops.checks.installation import check_installation
from ops.checks.payments import ask_providers, check_payments, check_way_back
from ops.state import State
from tests.providers.conftest import Merchant
from tests.providers.strangers import NOW, AlipayStranger, WechatStranger, alipay, wechat


async def test_a_right_merchant_is_well(merchant: Merchant) -> None:
    findings = await ask_providers(merchant.providers)
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    assert {finding.what for finding in findings} >= {"payments by wechat", "payments by alipay", "clock of wechat"}


async def test_a_wrong_key_is_told_with_its_cure(merchant: Merchant) -> None:
    wrong = merchant.with_settings(PARKING_WECHAT_SERIAL="0" * 40, PARKING_ALIPAY_APP_ID="2021000000000001")
    findings = {finding.what: finding for finding in await ask_providers(wrong)}
    for name in ("wechat", "alipay"):
        assert findings[f"payments by {name}"].verdict is Verdict.FAIL
        assert "docs/providers.md" in findings[f"payments by {name}"].cure


async def test_a_provider_out_of_reach_is_told() -> None:
    unreachable = httpx.ConnectError("x")
    stranger = AlipayStranger({"alipay.trade.query": unreachable})
    (finding,) = await ask_providers({"alipay": alipay(stranger)})
    assert finding.verdict is Verdict.FAIL


async def test_a_wrong_clock_is_told() -> None:
    for minutes, verdict in ((0, Verdict.OK), (2, Verdict.WARN), (-10, Verdict.FAIL)):
        provider = wechat(WechatStranger(), now=NOW + timedelta(minutes=minutes))
        findings = await ask_providers({"wechat": provider})
        assert (findings[-1].what, findings[-1].verdict) == ("clock of wechat", verdict)


def test_nothing_configured_is_no_complaint(tmp_path: Path) -> None:
    (finding,) = check_payments(State.find(tmp_path))
    assert (finding.verdict, "nothing can be paid" in finding.found) == (Verdict.OK, True)


def test_a_gateway_that_runs_here_is_asked_and_its_port_is_ours(tmp_path: Path, gateway: tuple[str, Path]) -> None:
    url, folder = gateway
    state = State.find(tmp_path / "state")
    state.prepare()
    (state.root / "gateway").symlink_to(folder)
    (state.root / "ports.json").write_text(json.dumps({"gateway": urlsplit(url).port}))
    until_it_answers(url)
    findings = {finding.what: finding for finding in check_payments(state)}
    assert {finding.verdict for finding in findings.values()} == {Verdict.OK}
    assert url in findings["payments"].found
    assert "alipay_precreate" in findings["payments by alipay"].found
    ports = next(finding for finding in check_installation(state) if finding.what == "ports")
    assert ports.verdict is Verdict.OK


def until_it_answers(url: str) -> None:
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, trust_env=False) as client:
        assert client.get(f"{url}/health").is_success


def test_half_a_merchant_names_the_other_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_ALIPAY_APP_ID", "2021000000000001")
    (finding,) = check_payments(State.find(tmp_path))
    assert finding.verdict is Verdict.FAIL
    assert "PARKING_ALIPAY_PRIVATE_KEY" in finding.found


@pytest.mark.parametrize(
    ("public_url", "verdict"),
    [("", Verdict.WARN), ("http://parking.test", Verdict.WARN), ("https://parking.test", Verdict.OK)],
)
def test_real_providers_need_a_way_back(public_url: str, verdict: Verdict) -> None:
    settings = Settings(public_url=public_url, secret_key=SecretStr("x" * 32))
    assert check_way_back(settings, ["wechat"]).verdict is verdict


def test_a_simulated_provider_needs_none() -> None:
    settings = Settings(wechat_api_url="http://127.0.0.1:9000")
    assert check_way_back(settings, ["wechat"]).verdict is Verdict.OK
