"""A verification on paper: all words in both languages, bars that add up, the command that explains a difference."""

import re
from dataclasses import replace

import pytest

from billing.phrases import Lang
from ops.report.verify_html import verify_html
from ops.report.verify_words import DOUBTS, FAULTS, WORDS, certainty_text, fault_text, sentence, way_text
from ops.verify.accuracy import FaultAccuracy
from ops.verify.report import Difference, Fees, Payments, Report, Way, Why
from simulator.evidence import Doubt
from simulator.faults.description import OF_LOTS, OF_SENSORS

LATE = Difference(
    why=Why.BEGIN,
    space="KL-001",
    session_id="217c",
    entered_at="2026-03-10T04:00:00.000Z",
    detail="begins 65089 ms too late",
    apart_ms=65_089,
    is_evident=True,
)
REPORT = Report(
    until="2026-03-10T12:00:00.000Z",
    city="新昌县 <&>",
    scenario="every-fault 33478f9e20f5",
    stays=10,
    equal=8,
    evident=2,
    still_there=1,
    fees_compared=9,
    fees_reduced=0,
    fees=Fees(right=7, under=2, over=0),
    true_fen=2_700,
    billed_fen=2_100,
    readings_sent=40,
    readings_stored=40,
    repeated=1,
    late=1,
    lost=1,
    readings_told=True,
    certainty={"certain": 8, "departure-not-reported": 1},
    differences=(LATE,),
    by_fault=(FaultAccuracy(fault="lost", stays=4, equal=2, evident=2, true_fen=900, billed_fen=300),),
    payments=Payments(
        told=2,
        told_fen=900,
        cut_off=0,
        visitors=0,
        ways=(Way(way="wechat", told=2, told_fen=900, stored=2, stored_fen=900),),
        received_fen=900,
        charged_fen=2_100,
        due_fen=1_200,
        broken=(),
    ),
)
BEYOND = Difference(
    why=Why.BEYOND, space="KL-002", session_id="7e72", entered_at=None, detail="billed 900 fen", apart_fen=300
)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html.split("</style>")[1])


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("没有一分钱超出证据", "按故障的准确度", "开始时间不符：晚 65.089 秒", "离开未报", "丢失", "微信支付")),
        (
            "en",
            ("nothing is charged beyond them", "Accuracy by fault", "too late", "departure not reported", "WeChat Pay"),
        ),
    ],
)
def test_all_of_it_is_told_in_the_language_asked_for(lang: Lang, words: tuple[str, ...]) -> None:
    told = text_of(verify_html(REPORT, lang=lang))
    assert all(
        word in told for word in (*words, "新昌县 &lt;&amp;&gt;", "every-fault", "parking explain 217c", "¥9.00")
    )
    assert ("bad" in verify_html(REPORT, lang=lang).split("</style>")[1]) is False


def test_what_is_wrong_comes_first_and_is_red() -> None:
    wrong = replace(REPORT, differences=(LATE, BEYOND), unexplained=1)
    told = verify_html(wrong, lang="en")
    assert '<p class="verdict bad">1 differences that the evidence does not account for</p>' in told
    assert '<b class="bad">¥3.00</b>' in told
    assert told.index("parking explain<br>7e72") < told.index("parking explain<br>217c")
    assert "收费超出证据：多 ¥3.00" in verify_html(wrong, lang="zh")


def test_a_bar_is_as_long_as_its_parts() -> None:
    html = verify_html(REPORT, lang="en")
    widths = [
        float(width) for width in re.findall(r'<rect class="(?:equal|proved|neither)"[^>]*width="([\d.]+)"', html)
    ]
    assert widths[0] == widths[1] > 0
    assert widths[2] == 0


def test_every_fault_doubt_and_difference_has_words() -> None:
    assert {fault.value for fault in (*OF_LOTS, *OF_SENSORS)} | {"repeated", "late", "lost"} == set(FAULTS)
    assert {doubt.value for doubt in Doubt} == set(DOUBTS)
    for why in Why:
        assert re.search("[一-鿿]", sentence(replace(BEYOND, why=why), "zh"))
    for zh, en in WORDS.values():
        assert zh != en
    assert (way_text("alipay_wap", "zh"), way_text("wechat", "en")) == ("支付宝 · 浏览器", "WeChat Pay")
    assert (fault_text("none", "zh"), certainty_text("certain", "en")) == ("无故障", "certain")


def test_nothing_to_tell_is_left_out() -> None:
    plain = replace(REPORT, by_fault=(), payments=None, certainty={}, differences=(), fees_compared=0)
    assert "<section" not in verify_html(plain, lang="en")
    assert "Everything is as it really was, to the millisecond and the fen." in verify_html(plain, lang="en")
