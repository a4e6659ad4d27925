"""Receipts over HTTP: by payment, by number, as a page, on paper; the same on every call, and later (F58)."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from billing.bills import bill_ended_sessions
from billing.receipts import verify_token
from billing.receipts.token import BadTokenError
from tests.api.conftest import Api, running
from tests.api.town import Town, now
from tests.support.paid import paid_stay, refund
from tests.support.pdf import text_of

pytestmark = pytest.mark.services

ENGLISH = {"Accept-Language": "en"}
NINE = datetime(2026, 11, 22, 1, tzinfo=UTC)


async def test_a_paid_payment_has_one_receipt_whoever_asks_how_often(api: Api, town: Town) -> None:
    payment_id = await paid_stay(town, entered_at=NINE, minutes=75)
    path = f"/api/v1/payments/{payment_id}/receipt"
    answers = await asyncio.gather(*(api.json(path) for _ in range(8)))
    (number,) = {answer["number"] for answer in answers}
    assert re.fullmatch(r"\d{8}-[0-9A-Z]{10}", number)
    receipt = await api.json(f"/api/v1/receipts/{number.lower()}", headers=ENGLISH)
    assert (receipt["lot_id"], receipt["lot_name"], receipt["space_code"]) == ("KA", "Wenti Road", "KA-001")
    assert (receipt["total_fen"], receipt["paid_fen"], receipt["kept_fen"]) == (600, 600, 600)
    assert receipt["entered_at"] == "2026-11-22T01:00:00.000Z"
    assert receipt["left_at"] is None
    assert receipt["fee"]["tariff"] == {"code": "xinchang-kerb", "version": 1}
    assert receipt["counted_to"] == "2026-11-22T02:15:00.000Z"
    assert receipt["exit_by"] == "2026-11-22T02:30:00.000Z", "a quarter of an hour to leave"


async def test_f58_a_receipt_is_there_again_after_everything_was_off(town: Town) -> None:
    payment_id = await paid_stay(town, entered_at=NINE, minutes=75)
    async with running(town.database.url) as api:
        before = await api.json(f"/api/v1/payments/{payment_id}/receipt")
    async with running(town.database.url) as api:
        after = await api.json(f"/api/v1/receipts/{before['number']}")
    assert {**after, "url": ""} == {**before, "url": ""}


async def test_what_goes_back_is_shown_and_the_receipt_itself_stays(api: Api, town: Town) -> None:
    payment_id = await paid_stay(town, entered_at=NINE, minutes=75)
    before = await api.json(f"/api/v1/payments/{payment_id}/receipt")
    await refund(town, payment_id, 100, status="succeeded", at=now())
    await refund(town, payment_id, 200, status="accepted", at=now())
    await refund(town, payment_id, 300, status="held", at=now())
    after = await api.json(f"/api/v1/receipts/{before['number']}")
    assert [(one["amount_fen"], one["done"]) for one in after["refunds"]] == [(100, True), (200, False)]
    assert (after["paid_fen"], after["kept_fen"]) == (600, 300)
    assert await town.scalar("SELECT count(*) FROM receipt") == 1


async def test_a_supplementary_payment_says_what_was_paid_before(api: Api, town: Town) -> None:
    session_id = await town.session("KA-001", NINE, NINE + timedelta(minutes=130))
    await paid_stay(town, entered_at=NINE, minutes=75, session_id=session_id)
    second = await paid_stay(town, entered_at=NINE, minutes=130, session_id=session_id, received_fen=300)
    receipt = await api.json(f"/api/v1/payments/{second}/receipt")
    assert (receipt["total_fen"], receipt["paid_before_fen"], receipt["paid_fen"]) == (900, 600, 300)
    assert receipt["exit_by"] is None, "it has left"


async def test_f45_a_stay_that_cost_nothing_has_a_receipt_of_its_own(api: Api, town: Town) -> None:
    free = await town.session("KA-002", NINE, NINE + timedelta(minutes=20))
    dear = await town.session("KA-003", NINE, NINE + timedelta(minutes=75))
    path = "/api/v1/sessions/{}/receipt"
    assert (await api.get(path.format(free))).json()["type"] == "/problems/not-paid", "not billed yet"
    async with town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)
    first, again = await api.json(path.format(free)), await api.json(path.format(free))
    assert first == again
    assert (first["paid_fen"], first["paid"], first["total_fen"]) == (0, None, 0)
    assert (await api.get(path.format(dear))).status_code == 409


async def test_nothing_is_given_for_what_is_not_paid_or_not_there(api: Api, town: Town) -> None:
    pending = await paid_stay(town, entered_at=NINE, minutes=75, status="sent")
    answer = await api.get(f"/api/v1/payments/{pending}/receipt")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-paid")
    for path in (f"/api/v1/payments/{uuid4()}/receipt", f"/api/v1/sessions/{uuid4()}/receipt"):
        assert (await api.get(path)).status_code == 404
    for number in ("20261123-AAAAAAAAAA", "nonsense", "20261123-AAAAAAAAAA'--"):
        for path in (f"/api/v1/receipts/{number}", f"/api/v1/receipts/{number}.pdf", f"/r/{number}"):
            assert (await api.get(path)).json()["type"] == "/problems/receipt-not-found"


async def test_the_page_reads_in_either_language_and_loads_only_from_here(api: Api, town: Town) -> None:
    payment_id = await paid_stay(town, entered_at=NINE, minutes=75)
    number = (await api.json(f"/api/v1/payments/{payment_id}/receipt"))["number"]
    led = await api.get(f"/api/v1/receipts/{number}", headers={"Accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (303, f"/r/{number}")
    chinese, english = await api.get(f"/r/{number}"), await api.get(f"/r/{number}?lang=en")
    assert chinese.headers["content-type"].startswith("text/html")
    assert '<html lang="zh-CN"' in chinese.text
    assert "请在此时间前离开" in chinese.text
    assert "Leave by" in english.text
    assert "¥6.00" in english.text
    assert "http://" not in re.sub(r'"http://127[^"]*"', "", english.text).replace("http://www.w3.org", "")
    assert "{{" not in english.text
    for address in re.findall(r'(?:href|src)="(/static[^"]+)"', english.text):
        assert (await api.get(address)).status_code == 200, address
    (paper,) = re.findall(r'href="(/[^"]+\.pdf[^"]*)"', english.text)
    assert "Leave by" in text_of((await api.get(paper)).content), "in the language of the page it is asked for on"


async def test_paper_says_the_same(api: Api, town: Town) -> None:
    await town.change_lot("KA", operator="新昌县停车服务有限公司")
    payment_id = await paid_stay(town, entered_at=NINE, minutes=75)
    number = (await api.json(f"/api/v1/payments/{payment_id}/receipt"))["number"]
    paper = await api.get(f"/api/v1/receipts/{number}.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    text = text_of(paper.content)
    for words in ("停车收据", number, "文体路", "KA-001", "¥6.00", "2026-11-22 09:00:00", "10:30", "新昌县停车服务"):
        assert words in text, words
    assert "Leave by" in text_of((await api.get(f"/api/v1/receipts/{number}.pdf", headers=ENGLISH)).content)
    assert len(paper.content) < 100_000, "only the letters that are used are embedded"


async def test_its_token_proves_it_without_a_network_and_nothing_else_does(api: Api, town: Town) -> None:
    payment_id = await paid_stay(town, entered_at=NINE, minutes=75)
    receipt = await api.json(f"/api/v1/payments/{payment_id}/receipt")
    key = bytes.fromhex((await api.json("/api/v1/receipt-key"))["public_key"])
    proof = verify_token(key, receipt["token"])
    assert (proof.number, proof.space_code, proof.paid_fen) == (receipt["number"], "KA-001", 600)
    assert proof.exit_by == datetime.fromisoformat(receipt["exit_by"])
    for place in range(len(receipt["token"]) - 1):
        letter = "A" if receipt["token"][place] != "A" else "B"
        with pytest.raises(BadTokenError):
            verify_token(key, receipt["token"][:place] + letter + receipt["token"][place + 1 :])
