"""Passes sold online: ordered by anybody, paid, in force at once, earned day by day, given back by days."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.passwords import hash_password
from billing.pass_sales.days import days_over, days_used, earned_fen, midnight
from billing.pass_sales.earning import earn_passes
from billing.pass_sales.offers import OfferTerms, add_offer
from billing.pass_sales.orders import close_old_orders
from billing.payments.till import real_now
from billing.plates import store_plate
from core.errors import InvalidError
from core.plate import parse_plate
from ops.ledger import prove
from tests.payments.conftest import Desk
from tests.support.tariffs import shipped_tariff

pytestmark = pytest.mark.services

PLATE = "浙D12345"
CHINA = shipped_tariff("xinchang-kerb").zone
PRICE = 10_000


def today() -> date:
    return datetime.now(UTC).astimezone(CHINA).date()


@pytest.mark.parametrize(("price", "days"), [(10_000, 30), (1, 30), (99, 7), (12_345, 365)])
def test_the_days_earn_the_whole_price_and_never_more(price: int, days: int) -> None:
    earned = [earned_fen(price, days, gone) for gone in range(days + 1)]
    assert earned == sorted(earned)
    assert (earned[0], earned[-1]) == (0, price)


def test_days_outside_a_pass_are_not_counted() -> None:
    begins = date(2026, 11, 1)
    assert [days_over(begins, 30, date(2026, 10, 1)), days_over(begins, 30, date(2027, 1, 1))] == [0, 30]
    assert [days_used(begins, 30, date(2026, 10, 31)), days_used(begins, 30, begins)] == [0, 1]
    with pytest.raises(InvalidError):
        earned_fen(100, 30, 31)


def test_a_day_begins_at_midnight_on_the_wall() -> None:
    assert midnight(date(2026, 11, 1), CHINA) == datetime(2026, 10, 31, 16, tzinfo=UTC)


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    """A pass of 30 days for KA at 100.00."""
    terms = OfferTerms(code="ka-month", name="KA 月卡", name_en="KA, a month", lots=("KA",), days=30, price_fen=PRICE)
    async with desk.town.database.transaction() as db:
        await add_offer(db, terms, actor="operator:li", at=real_now())
    return desk


async def order(desk: Desk, begins_on: date | None = None, plate: str = PLATE) -> dict[str, Any]:
    body = {"offer": "ka-month", "plate": plate, "begins_on": str(begins_on or today())}
    answer = await desk.api.client.post("/api/v1/passes/orders", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def begin(desk: Desk, made: dict[str, Any], channel: str = "wechat") -> dict[str, Any]:
    answer = await desk.api.client.post(
        f"/api/v1/passes/orders/{made['id']}/payments",
        json={"channel": channel},
        headers={"Idempotency-Key": uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


async def bought(desk: Desk, begins_on: date | None = None) -> dict[str, Any]:
    made = await order(desk, begins_on)
    await desk.pay(await begin(desk, made))
    found: dict[str, Any] = await desk.api.json(f"/api/v1/passes/orders/{made['id']}")
    assert found["status"] == "paid"
    return found


async def proved(desk: Desk) -> None:
    findings = await prove(desk.town.database, desk.till.clock)
    assert all(finding.is_kept for finding in findings), [one for one in findings if not one.is_kept]


async def logged_in(desk: Desk, role: str = "finance") -> None:
    await desk.town.operator(role, role, hash_password("correct horse battery"))
    body = {"login": role, "password": "correct horse battery"}
    answer = await desk.api.client.post("/api/v1/operator/login", json=body, headers={"X-Requested-With": "test"})
    assert answer.status_code == 200, answer.text


async def sent_back(desk: Desk) -> None:
    """Refunds are taken, then done."""
    await desk.sweep(later=timedelta(minutes=1))
    await desk.sweep(later=timedelta(hours=1))


async def give_back(desk: Desk, number: int) -> Any:
    return await desk.api.client.post(
        f"/api/v1/operator/passes/{number}/refund",
        json={"reason": "the vehicle was sold"},
        headers={"X-Requested-With": "test"},
    )


async def test_what_is_on_sale_is_shown_in_the_language_asked_for(shop: Desk) -> None:
    shown = await shop.api.json("/api/v1/passes/offers", headers={"Accept-Language": "en"})
    [offer] = shown["offers"]
    assert (offer["code"], offer["days"], offer["price_fen"], offer["windows"]) == (
        "ka-month",
        30,
        PRICE,
        "at any time",
    )


async def test_an_order_tells_nothing_of_its_plate(shop: Desk) -> None:
    first = await bought(shop)
    known = await order(shop)
    unknown = await order(shop, plate="浙D54321")
    assert first["plate"] == known["plate"] != PLATE
    differs = {"id", "plate", "expires_at"}
    assert {k: v for k, v in known.items() if k not in differs} == {
        k: v for k, v in unknown.items() if k not in differs
    }
    assert known["ends_on"] == str(today() + timedelta(days=29))


async def test_a_bought_pass_is_in_force_at_once_and_its_money_is_kept_for_its_days(shop: Desk) -> None:
    made = await bought(shop)
    assert await shop.books() == {"provider:wechat:clearing": PRICE, "prepaid:pass": -PRICE}
    query = "SELECT count(*) FROM parking_pass JOIN pass_plate ON pass_id = id WHERE valid_from <= now()"
    assert await shop.one(query) == 1
    assert await shop.one("SELECT actor FROM audit WHERE action = 'pass.sold'") is not None
    assert made["refunded_fen"] == 0
    await proved(shop)


async def test_a_running_stay_stops_costing_when_the_pass_is_bought(shop: Desk) -> None:
    session_id = await shop.running()
    async with shop.town.database.transaction() as db:
        assert shop.api.parts.plates is not None
        await store_plate(db, shop.api.parts.plates, parse_plate(PLATE), at=real_now())
    await shop.do(
        "INSERT INTO plate_evidence (session_id, plate_id, source, observed_at, recorded_at)"
        " SELECT parking_session.id, plate.id, 'warden', now(), now() FROM parking_session, plate"
    )
    before = (await shop.session(session_id))["fee"]["total_fen"]
    await bought(shop)
    fee = (await shop.session(session_id))["fee"]
    assert fee["total_fen"] == before
    assert fee["next_change_at"] is None or datetime.fromisoformat(fee["next_change_at"]) > real_now() + timedelta(
        days=29
    )


async def test_money_that_comes_after_the_order_closed_goes_back_by_itself(shop: Desk) -> None:
    made = await order(shop)
    payment = await begin(shop, made)
    await shop.do("UPDATE pass_order SET expires_at = now() - interval '1 second'")
    async with shop.town.database.transaction() as db:
        assert await close_old_orders(db, at=real_now()) == 1
    await shop.pay(payment)
    assert await shop.one("SELECT count(*) FROM parking_pass") == 0
    await sent_back(shop)
    assert await shop.books() == {}
    assert (await shop.payment(payment))["status"] == "refunded"
    assert (await shop.api.json(f"/api/v1/passes/orders/{made['id']}"))["status"] == "closed"
    await proved(shop)


async def test_an_order_paid_twice_is_one_pass_and_the_second_payment_goes_back(shop: Desk) -> None:
    made = await order(shop)
    first = await begin(shop, made)
    number = await shop.order_no(first)
    await shop.do(
        "UPDATE payment SET status = 'closed', poll_at = NULL, asked = NULL"
    )  # a close that was answered wrongly
    second = await begin(shop, made, "alipay")
    await shop.pay(second)
    state = shop.wechat.pay(number)
    await shop.notify(shop.wechat, state)
    assert await shop.one("SELECT count(*) FROM parking_pass") == 1
    await sent_back(shop)
    assert await shop.books() == {"provider:alipay:clearing": PRICE, "prepaid:pass": -PRICE}
    await proved(shop)


async def test_a_paid_order_takes_no_more_money(shop: Desk) -> None:
    made = await bought(shop)
    answer = await shop.api.client.post(
        f"/api/v1/passes/orders/{made['id']}/payments",
        json={"channel": "wechat"},
        headers={"Idempotency-Key": uuid4().hex},
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/pass-order-closed")


async def test_an_attempt_that_fits_is_shown_again(shop: Desk) -> None:
    made = await order(shop)
    assert (await begin(shop, made))["id"] == (await begin(shop, made))["id"]


async def test_days_become_revenue_as_they_pass_and_missed_ones_are_caught_up(shop: Desk) -> None:
    await bought(shop)
    for days, earned in ((0, 0), (1, 333), (1, 333), (10, 3_333), (40, PRICE), (41, PRICE)):
        async with shop.town.database.transaction() as db:
            await earn_passes(db, at=real_now() + timedelta(days=days))
        assert -(await shop.account("revenue:pass")) == earned, days
    assert await shop.account("prepaid:pass") == 0
    await proved(shop)


@pytest.mark.parametrize(("after_midnight", "earned"), [(timedelta(seconds=-1), 0), (timedelta(minutes=1), 333)])
async def test_a_day_is_over_at_the_midnight_of_where_the_pass_holds(
    shop: Desk, after_midnight: timedelta, earned: int
) -> None:
    """In China that is four in the afternoon of the day before, in UTC."""
    await bought(shop)
    at = datetime.combine(today() + timedelta(days=1), time(), CHINA).astimezone(UTC) + after_midnight
    async with shop.town.database.transaction() as db:
        await earn_passes(db, at=at)
    assert -(await shop.account("revenue:pass")) == earned


async def test_a_pass_given_back_before_its_first_day_costs_nothing(shop: Desk) -> None:
    await bought(shop, today() + timedelta(days=3))
    await logged_in(shop)
    number = await shop.one("SELECT id FROM parking_pass")
    answer = await give_back(shop, number)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["days_used"], answer.json()["amount_fen"]) == (0, PRICE)
    assert answer.json()["refund_status"] == "held"  # above the sum that one person may give back alone


async def test_a_pass_given_back_on_its_tenth_day_gives_back_twenty(shop: Desk) -> None:
    await bought(shop)
    await shop.do("UPDATE pass_order SET begins_on = begins_on - 9")
    await logged_in(shop)
    number = await shop.one("SELECT id FROM parking_pass")
    answer = await give_back(shop, number)
    assert (answer.json()["days_used"], answer.json()["amount_fen"]) == (10, 6_667)
    assert -(await shop.account("revenue:pass")) == 3_333
    assert (await give_back(shop, number)).status_code == 409
    assert await shop.one("SELECT actor FROM audit WHERE action = 'pass.refunded'") == "operator:finance"
    await proved(shop)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"offer": "no-such"}, 404),
        ({"plate": "not a plate"}, 422),
        ({"begins_on": "2020-01-01"}, 422),
        ({"begins_on": "2099-01-01"}, 422),
        ({"begins_on": "tomorrow"}, 422),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(shop: Desk, change: dict[str, str], status: int) -> None:
    body = {"offer": "ka-month", "plate": PLATE, "begins_on": str(today()), **change}
    answer = await shop.api.client.post("/api/v1/passes/orders", json=body)
    assert answer.status_code == status, answer.text


async def test_offers_are_put_on_sale_by_finance_and_taken_off(shop: Desk) -> None:
    new = {"code": "all-day", "name": "日卡", "name_en": "a day", "days": 1, "price_fen": 1_500}
    header = {"X-Requested-With": "test"}
    assert (await shop.api.client.post("/api/v1/operator/pass-offers", json=new)).status_code == 401
    await logged_in(shop, "warden")
    assert (await shop.api.client.post("/api/v1/operator/pass-offers", json=new, headers=header)).status_code == 403
    await logged_in(shop)
    assert (await shop.api.client.post("/api/v1/operator/pass-offers", json=new, headers=header)).status_code == 201
    assert (await shop.api.client.post("/api/v1/operator/pass-offers", json=new, headers=header)).status_code == 409
    offers = (await shop.api.json("/api/v1/passes/offers"))["offers"]
    assert [offer["code"] for offer in offers] == ["all-day", "ka-month"]
    ended = await shop.api.client.post("/api/v1/operator/pass-offers/all-day/end", headers=header)
    assert ended.json()["ended_by"] == "finance"
    assert (await shop.api.client.post("/api/v1/operator/pass-offers/all-day/end", headers=header)).status_code == 404
    assert len(await shop.api.json("/api/v1/operator/pass-offers")) == 2
