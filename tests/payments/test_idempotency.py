"""The same request again: the same answer, whatever it was; another body under the same key is refused."""

import asyncio
from uuid import uuid4

import pytest

from api.idempotency import forget_old_keys
from tests.payments.conftest import Desk
from tests.support.waiting import until

pytestmark = pytest.mark.services


async def test_f48_the_same_key_and_body_get_the_same_answer_and_another_body_none(desk: Desk) -> None:
    session_id, key = await desk.ended(), uuid4().hex
    first = await desk.ask(session_id, key=key)
    await desk.pay(first.json())
    again = await desk.ask(session_id, key=key)
    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    other = await desk.ask(session_id, "alipay", key=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_f48_a_refusal_is_repeated_word_for_word(desk: Desk) -> None:
    session_id, key = await desk.ended(20), uuid4().hex
    first, again = await desk.ask(session_id, key=key), await desk.ask(session_id, key=key)
    assert first.status_code == again.status_code == 409
    assert first.text == again.text
    assert again.headers["content-type"] == "application/problem+json"


async def test_f49_a_double_click_is_one_attempt(desk: Desk) -> None:
    session_id, key = await desk.ended(), uuid4().hex
    desk.wechat.is_slow_by_seconds = 0.4
    answers = await asyncio.gather(*(desk.ask(session_id, key=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(desk.wechat.orders) == 1


async def test_a_first_request_that_takes_long_is_waited_for_and_then_asked_after(desk: Desk) -> None:
    session_id, key = await desk.ended(), uuid4().hex
    desk.wechat.is_slow_by_seconds = 7
    first = asyncio.create_task(desk.ask(session_id, key=key))
    await until(lambda: desk.one("SELECT count(*) FROM idempotency_key"))
    second = await desk.ask(session_id, key=key)
    assert (second.status_code, second.json()["type"]) == (409, "/problems/still-in-progress")
    assert second.headers["retry-after"] == "2"
    assert (await first).status_code == 201


async def test_a_key_whose_process_died_is_taken_over(desk: Desk) -> None:
    session_id, key = await desk.ended(), uuid4().hex
    first = await desk.ask(session_id, key=key)
    await desk.do("UPDATE idempotency_key SET status = NULL, body = NULL, created_at = now() - interval '2 minutes'")
    again = await desk.ask(session_id, key=key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


async def test_what_was_our_own_trouble_is_not_kept(desk: Desk) -> None:
    session_id, key = await desk.running(45), uuid4().hex
    await desk.begin(session_id)
    await desk.hear(75)
    desk.wechat.trouble["close"] = ["down"]
    assert (await desk.ask(session_id, key=key)).status_code == 503
    assert (await desk.ask(session_id, key=key)).status_code == 201


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "with blank in it", "浙"])
async def test_a_key_that_is_none_is_refused(desk: Desk, key: str) -> None:
    answer = await desk.api.client.post(
        f"/api/v1/sessions/{uuid4()}/payments",
        json={"channel": "wechat"},
        headers={b"Idempotency-Key": key.encode()} if key else {},
    )
    assert answer.status_code == 422


async def test_old_keys_are_forgotten(desk: Desk) -> None:
    session_id = await desk.ended()
    await desk.begin(session_id)
    await desk.do("UPDATE idempotency_key SET created_at = created_at - interval '25 hours'")
    await desk.ask(await desk.ended(code="KA-002"))
    await forget_old_keys(desk.town.database)
    assert await desk.one("SELECT count(*) FROM idempotency_key") == 1
