"""Whoever waits for a payment sees it paid, through whichever process it was booked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.api.conftest import Viewer
from tests.payments.conftest import Desk, open_desk
from tests.support.waiting import until

pytestmark = pytest.mark.services


@asynccontextmanager
async def watching(desk: Desk, payment: dict[str, Any]) -> AsyncIterator[Viewer]:
    async with desk.api.client.stream("GET", f"/api/v1/payments/{payment['id']}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Viewer(lines=answer.aiter_lines())


async def test_paid_is_seen_and_then_the_stream_ends(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    async with watching(desk, payment) as viewer:
        name, first = await viewer.event()
        assert (name, first["status"], first["code_url"]) == ("payment", "pending", payment["code_url"])
        await desk.pay(payment)
        _, paid = await viewer.event()
        assert (paid["status"], paid["received_fen"]) == ("paid", 600)
        with pytest.raises(AssertionError, match="ended"):
            await viewer.event()


async def test_paid_through_another_process_is_seen_here(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    async with open_desk(desk.town) as other, watching(desk, payment) as viewer:
        await viewer.event()
        state = desk.wechat.pay(await desk.order_no(payment))
        assert (await other.notify(other.wechat, state)).status_code == 200
        assert (await viewer.event())[1]["status"] == "paid"


async def test_many_see_the_same_and_are_let_go_at_the_end(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())

    async def wait() -> str:
        async with watching(desk, payment) as viewer:
            while True:
                _, shown = await viewer.event()
                if shown["status"] != "pending":
                    return str(shown["status"])

    waits = [asyncio.create_task(wait()) for _ in range(20)]
    await until(lambda: _waiting(desk, 20))
    await desk.pay(payment)
    assert await asyncio.gather(*waits) == ["paid"] * 20
    await until(lambda: _waiting(desk, 0))


async def _waiting(desk: Desk, wanted: int) -> bool:
    return len(desk.api.parts.waiting) == wanted


async def test_a_payment_nobody_knows_is_no_stream(desk: Desk) -> None:
    answer = await desk.api.get("/api/v1/payments/00000000-0000-4000-8000-000000000000/events")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/payment-not-found")


async def test_the_end_of_the_process_ends_the_streams(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    async with watching(desk, payment) as viewer:
        await viewer.event()
        desk.api.parts.waiting.close()
        with pytest.raises(AssertionError, match="ended"):
            await viewer.event()
