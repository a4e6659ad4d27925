"""Faults by script, repetitions by schedule, and money that outlives a killed gateway."""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from simulator.gateway.faults import Faults, Script
from tests.simulator.gateway.conftest import Merchant, Running
from tests.simulator.gateway.test_wechat import ORDER, called, opened
from tests.support.waiting import until


async def paid_order(gateway: Running, merchant: Merchant, order_no: str = ORDER) -> None:
    await opened(gateway.wechat(), merchant, order_no)
    await gateway.pay(order_no)


async def acknowledged(gateway: Running, order_no: str = ORDER) -> bool:
    return all(notice["acknowledged_at"] for notice in (await gateway.order(order_no))["notices"])


async def test_killed_it_goes_on_with_all_it_collected_and_owes(killable: Running, merchant: Merchant) -> None:
    merchant.takes = False
    await paid_order(killable, merchant)
    await merchant.until_heard(1)
    before = await killable.order(ORDER)
    killable.kill()
    merchant.takes = True
    await killable.start()
    after = await killable.order(ORDER)
    assert after["transaction_id"] == before["transaction_id"]
    assert after["notices"][0]["id"] == before["notices"][0]["id"]
    assert (await called(killable.wechat().query, out_trade_no=ORDER))[1]["trade_state"] == "SUCCESS"
    await killable.control("POST", "/clock", advance_seconds=15)
    await until(lambda: acknowledged(killable))


async def test_a_day_of_repetitions_bears_one_id_and_then_ends(gateway: Running, merchant: Merchant) -> None:
    merchant.takes = False
    await paid_order(gateway, merchant)
    for attempt in range(1, 17):

        async def is_told(count: int = attempt) -> bool:
            return bool((await gateway.order(ORDER))["notices"][0]["attempts"] == count)

        await until(is_told)
        await gateway.control("POST", "/clock", advance_seconds=6 * 3_600)
    assert (await gateway.order(ORDER))["notices"][0]["next_at"] is None
    assert {json.loads(heard.body)["id"] for heard in merchant.heard} == {json.loads(merchant.heard[0].body)["id"]}
    assert len(merchant.heard) == 16


async def test_dropped_then_told(gateway: Running, merchant: Merchant) -> None:
    await gateway.script({"on": "wechat.notify.payment", "do": "drop", "times": 1})
    await paid_order(gateway, merchant)

    async def is_dropped() -> bool:
        return bool((await gateway.order(ORDER))["notices"][0]["attempts"] == 1)

    await until(is_dropped)
    assert merchant.heard == []
    await gateway.control("POST", "/clock", advance_seconds=15)
    assert len(await merchant.until_heard(1)) == 1


async def test_repeated_at_once_with_the_same_bytes(gateway: Running, merchant: Merchant) -> None:
    await gateway.script({"on": "*.notify.*", "do": "repeat", "copies": 20})
    await paid_order(gateway, merchant)
    heard = await merchant.until_heard(20)
    assert len({(one.body, one.headers["wechatpay-nonce"]) for one in heard}) == 1


async def test_overtaken_by_a_later_one(gateway: Running, merchant: Merchant) -> None:
    await gateway.script({"on": "*.notify.*", "do": "reorder", "order": ORDER, "times": 1})
    await paid_order(gateway, merchant)
    await paid_order(gateway, merchant, "P2026112300000002")
    sdk = gateway.wechat()
    told = [sdk.callback(one.headers, one.body) for one in await merchant.until_heard(2)]
    assert [one["resource"]["out_trade_no"] for one in told] == ["P2026112300000002", ORDER]


@pytest.mark.parametrize("fault", ["forged", "corrupt", "probe"])
async def test_what_is_spoiled_is_not_verified(gateway: Running, merchant: Merchant, fault: str) -> None:
    await gateway.script({"on": "*.notify.*", "do": fault, "times": 1})
    await paid_order(gateway, merchant)
    (heard,) = await merchant.until_heard(1)
    assert not gateway.wechat().callback(heard.headers, heard.body)


async def test_a_wrong_amount_is_rightly_signed(gateway: Running, merchant: Merchant) -> None:
    await gateway.script({"on": "*.notify.payment", "do": "wrong-amount", "fen": -599})
    await paid_order(gateway, merchant)
    (heard,) = await merchant.until_heard(1)
    assert gateway.wechat().callback(heard.headers, heard.body)["resource"]["amount"]["total"] == 1
    assert (await gateway.order(ORDER))["received_fen"] == 600


@pytest.mark.parametrize(("fault", "exists"), [("stall-before", False), ("down", False), ("stall-after", True)])
async def test_a_call_that_breaks_off_was_done_or_not(
    gateway: Running, merchant: Merchant, fault: str, exists: bool
) -> None:
    await gateway.script({"on": "wechat.create", "do": fault, "seconds": 0.2, "times": 1})
    with pytest.raises(Exception, match=r"IncompleteRead|Connection"):
        await opened(gateway.wechat(), merchant)
    status, _ = await called(gateway.wechat().query, out_trade_no=ORDER)
    assert status == (200 if exists else 404)
    assert (await opened(gateway.wechat(), merchant))[0] == 200


@pytest.mark.parametrize("fault", ["unsigned", "forged", "corrupt"])
async def test_an_answer_that_proves_nothing_is_refused_by_the_sdk(
    gateway: Running, merchant: Merchant, fault: str
) -> None:
    await gateway.script({"on": "wechat.create", "do": fault, "times": 1})
    with pytest.raises(Exception, match=r"signature|algorithm"):
        await opened(gateway.wechat(), merchant)
    assert (await gateway.order(ORDER))["status"] == "open"


async def test_only_one_of_many_at_once_pays(gateway: Running, merchant: Merchant) -> None:
    await opened(gateway.wechat(), merchant)
    answers = await asyncio.gather(*(gateway.pay(ORDER) for _ in range(20)))
    assert Counter(answer.get("refused") for answer in answers) == {None: 1, "already-paid": 19}
    assert (await gateway.control("GET", "/totals"))["wechat"]["received_fen"] == 600


async def test_a_script_with_a_mistake_is_refused_and_the_one_before_stays(gateway: Running) -> None:
    await gateway.script({"on": "*", "do": "drop"})
    wrong = await gateway.control("PUT", "/script", rules=[{"on": "*", "do": "explode"}])
    assert "rules.0.do" in wrong["invalid"][0]
    assert (await gateway.control("GET", "/script"))["script"]["rules"][0]["do"] == "drop"


async def test_the_page_says_it_is_simulated_and_lets_one_think_it_over(gateway: Running, merchant: Merchant) -> None:
    _, answer = await opened(gateway.wechat(), merchant)
    async with httpx.AsyncClient(follow_redirects=True) as phone:
        page = await phone.get(answer["code_url"])
        assert "不会产生真实扣款" in page.text
        assert "稍后" in (await phone.post(answer["code_url"], data={"choice": "later"})).text
        assert (await gateway.order(ORDER))["status"] == "open"
        assert (await phone.get(f"{gateway.url}/pay/P0000000")).status_code == 404


def test_the_same_seed_and_messages_meet_the_same_faults() -> None:
    script = Script.model_validate({"seed": 3, "rules": [{"on": "*", "do": "drop", "chance": 0.5}]})

    def fates(orders: list[str]) -> dict[str, bool]:
        faults = Faults(script)
        return {order: faults.choose("wechat.notify.payment", order, among=["drop"]) is not None for order in orders}

    orders = [f"P{number:08d}" for number in range(200)]
    assert fates(orders) == fates(orders[::-1])
    assert 70 < sum(fates(orders).values()) < 130


def test_after_and_times_bound_a_rule() -> None:
    faults = Faults(Script.model_validate({"rules": [{"on": "*", "do": "drop", "after": 2, "times": 3}]}))
    met = [faults.choose("alipay.notify.payment", "P1", among=["drop"]) is not None for _ in range(8)]
    assert met == [False, False, True, True, True, False, False, False]
    assert faults.met == {"alipay.notify.payment drop": 3}


@pytest.mark.parametrize(
    "wrong", [{"rules": [{"on": "*"}]}, {"rules": [{"on": "*", "do": "drop", "chance": 2}]}, {"sed": 1}]
)
def test_a_script_names_what_is_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Script.model_validate(wrong)
