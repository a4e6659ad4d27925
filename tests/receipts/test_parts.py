"""A receipt's parts: facts that come back equal, words, numbers, fonts, paper of any length."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing import notices
from billing.pricing import price_stay
from billing.receipts import Content, Paid, Receipt, ReceiptRefund, public_key_of, sign_token, verify_token
from billing.receipts.fonts import FontMissingError, find_file, font_of
from billing.receipts.numbers import new_number, read_number
from billing.receipts.page import receipt_body
from billing.receipts.pdf import receipt_pdf
from billing.receipts.wording import word
from billing.tariff import load_tariff
from core.money import Fen
from core.stay import Stay
from tests.support.pdf import text_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 11, 22, 1, tzinfo=UTC)
NOTICES = ("xinchang-kerb", "cn-bj-class1", "cn-zj-ninghai-zone1", "us-frederick-md-garage")
URL = "https://parking.example.cn/r/20261122-7K3QF9XW2M"


def receipt(notice: str, hours: int = 5, name: str = "文体路") -> Receipt:
    tariff = load_tariff(notices.read(notice))
    counted_to = NINE + timedelta(hours=hours)
    bill = price_stay(tariff, Stay(entered_at=NINE, left_at=counted_to), zone=SHANGHAI)
    paid = Paid(
        amount_fen=bill.total_fen,
        provider="alipay",
        channel="alipay_wap",
        order_no="P3F2B9A61C0D84E57AA21",
        transaction_id="2026112222001400000000000001",
        paid_at=counted_to,
    )
    content = Content(
        lot_code="WT",
        lot_name=name,
        lot_name_en=None,
        operator=None,
        zone=SHANGHAI,
        space_code="WT-001",
        entered_at=NINE,
        left_at=None,
        counted_to=counted_to,
        bill=bill,
        notice_name=(tariff.document.name.zh, tariff.document.name.en),
        notice_number=tariff.document.notice.number,
        allowed_fen=Fen(0),
        paid_before_fen=Fen(0),
        paid=paid,
        exit_by=counted_to + timedelta(minutes=15),
    )
    back = ReceiptRefund(refund_no="R1", amount_fen=Fen(100), done=False, at=counted_to)
    return Receipt(number="20261122-7K3QF9XW2M", issued_at=counted_to, content=content, refunds=(back,))


@pytest.mark.parametrize("notice", NOTICES)
def test_facts_come_back_equal_and_add_up_in_words(notice: str) -> None:
    one = receipt(notice)
    assert Content.from_json(one.content.to_json()) == one.content
    for lang in ("zh", "en"):
        worded = word(one, lang)
        assert len(worded.fee) == len(one.content.bill.lines if one.content.bill else ()) + 1
        assert worded.fee[-1].amount == worded.settled[0].amount, "all of the fee was paid at once"
        assert worded.settled[-1].strong, "what is left of it comes last"


def test_the_day_to_leave_by_is_said_and_the_time_stands_alone() -> None:
    label, time, _ = word(receipt("xinchang-kerb", hours=15), "en").leave_by or ("", "", "")
    assert (label, time) == ("Leave by · 2026-11-23", "00:15")


def test_a_name_that_is_markup_stays_text() -> None:
    body = receipt_body(
        receipt("xinchang-kerb", name="<script>alert(1)</script>"), "zh", url=URL, pdf_url="/x", token="t"
    )
    assert "<script" not in body
    assert "&lt;script&gt;" in body


def test_a_stay_of_a_month_needs_more_than_one_sheet_and_has_every_line() -> None:
    long = receipt("cn-bj-class1", hours=24 * 30)
    pdf = receipt_pdf(long, "zh", url=URL, font=font_of())
    text = text_of(pdf)
    bill = long.content.bill
    assert bill is not None
    assert text.count("白天") == sum(line.rule.startswith("day") for line in bill.lines)
    assert pdf.count(b"/Type /Page\n") > 1
    assert "本收据不是发票" in text


def test_numbers_are_read_as_people_type_them_and_never_repeat() -> None:
    numbers = {new_number(NINE, SHANGHAI) for _ in range(2_000)}
    assert len(numbers) == 2_000
    assert all(number.startswith("20261122-") and read_number(number) == number for number in numbers)
    assert read_number(" 20261122-oil0000000 ") == "20261122-0110000000"
    assert [read_number(text) for text in ("", "20261122", "20261122-UUUUUUUUUU", "x" * 500)] == [None] * 4


def test_without_a_font_the_package_is_named(tmp_path: Path) -> None:
    assert find_file((str(tmp_path), "/nowhere")) is None
    with pytest.raises(FontMissingError) as refused:
        font_of(tmp_path / "none.ttf")
    assert refused.value.facts["package"] == "fonts-noto-cjk"


def test_a_token_of_another_installation_proves_nothing() -> None:
    token = sign_token("one key of tests, 32 characters..", receipt("xinchang-kerb"))
    assert len(token) < 200
    assert verify_token(public_key_of("one key of tests, 32 characters.."), token).space_code == "WT-001"
    with pytest.raises(Exception, match="not signed by this installation"):
        verify_token(public_key_of("another key of tests, 32 characters"), token)
