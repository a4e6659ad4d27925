"""Two apis beside one database: whichever a driver reaches next goes on where the other was."""

from datetime import timedelta

import pytest

from tests.payments.counter import NOON_IN_CHINA, Counter
from tests.support.waiting import until

pytestmark = pytest.mark.services


async def test_what_was_begun_at_one_is_finished_and_receipted_at_the_other(counter: Counter) -> None:
    other = Counter(town=counter.town, gateway=counter.gateway, folder=counter.folder)
    await other.start()
    try:
        session_id = await counter.town.session("KA-001", NOON_IN_CHINA, NOON_IN_CHINA + timedelta(minutes=75))
        begun = await counter.begin(session_id, "wechat_native", "one-key-for-both")
        again = await other.begin(session_id, "wechat_native", "one-key-for-both")
        assert (again["id"], again["status"], again["code_url"]) == (begun["id"], "pending", begun["code_url"])
        await counter.pay(begun)

        async def is_paid() -> bool:
            return bool((await other.payment(begun))["status"] == "paid")

        await until(is_paid)
        counter.kill()
        assert (await other.http.get(f"{other.url}/api/v1/sessions/{session_id}")).json()["due_fen"] == 0
        receipt = await other.http.get(f"{other.url}/api/v1/payments/{begun['id']}/receipt", follow_redirects=True)
        assert receipt.is_success, receipt.text
    finally:
        other.kill()
        await other.http.aclose()
