"""The session on a space as its driver sees it: running, standing still, ended, paid attention to by few."""

from datetime import datetime, timedelta

import pytest

from billing.bills import bill_ended_sessions
from core.tokens import space_token
from tests.api.conftest import SECRET, Api
from tests.api.town import HEARTBEAT, Town, now

pytestmark = pytest.mark.services

NOON_IN_CHINA = now().replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=1)


def printed(code: str) -> dict[str, str]:
    return {"k": space_token(SECRET, code)}


async def test_an_open_session_shows_its_fee_so_far_and_when_it_rises(api: Api, town: Town) -> None:
    entered_at = now() - timedelta(hours=26)
    session_id = await town.session("KA-001", entered_at)
    await town.report("KA-001", occupied=True)
    answer = await api.get("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    session = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert session["id"] == str(session_id)
    assert (session["space_code"], session["lot_id"], session["status"]) == ("KA-001", "KA", "open")
    assert session["minutes"] == 26 * 60
    assert session["unsure"] is False
    fee = session["fee"]
    assert fee["total_fen"] == sum(line["amount_fen"] for line in fee["lines"]) >= 3_900
    assert (session["paid_fen"], session["due_fen"]) == (0, fee["total_fen"])
    assert datetime.fromisoformat(fee["next_change_at"]) > now() - timedelta(minutes=1)
    assert fee["next_total_fen"] > fee["total_fen"]
    assert fee["vehicle"]["assumed"] is True


async def test_the_fee_of_a_silent_space_stands_still_where_the_evidence_ends(api: Api, town: Town) -> None:
    entered_at = NOON_IN_CHINA
    await town.session("KA-001", entered_at)
    await town.report("KA-001", occupied=True, heard_at=entered_at + timedelta(minutes=75))
    session = await api.json("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert (session["unsure"], session["minutes"], session["due_fen"]) == (True, 75, 600)
    assert session["fee"]["next_change_at"] is None
    assert now() - entered_at > 3 * HEARTBEAT


async def test_an_ended_session_is_shown_until_another_begins(api: Api, town: Town) -> None:
    ended = await town.session("KA-001", NOON_IN_CHINA, NOON_IN_CHINA + timedelta(minutes=61))
    await town.report("KA-001", occupied=False)
    session = await api.json("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert (session["id"], session["status"], session["due_fen"]) == (str(ended), "ended", 600)
    assert session["left_at"] is not None
    assert session["fee"]["next_change_at"] is None
    opened = await town.session("KA-001", now() - timedelta(minutes=5))
    await town.report("KA-001", occupied=True)
    session = await api.json("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert (session["id"], session["status"], session["due_fen"]) == (str(opened), "open", 0)


async def test_a_bill_says_the_same_as_the_fee_before_it(api: Api, town: Town) -> None:
    await town.session("KA-001", NOON_IN_CHINA, NOON_IN_CHINA + timedelta(minutes=61))
    path, params = "/api/v1/spaces/KA-001/session", printed("KA-001")
    before = await api.json(path, params=params)
    async with town.database.transaction() as db:
        assert (await bill_ended_sessions(db, at=now(), limit=10)).bills == 1
    assert await api.json(path, params=params) == before


async def test_a_session_that_may_turn_out_to_be_none_is_not_announced(api: Api, town: Town) -> None:
    await town.session("KA-001", now() - timedelta(seconds=5))
    await town.report("KA-001", occupied=True)
    answer = await api.get("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-session")


async def test_a_stay_that_cost_nothing_leaves_nothing_to_show(api: Api, town: Town) -> None:
    await town.session("KA-001", NOON_IN_CHINA, NOON_IN_CHINA + timedelta(minutes=30))
    answer = await api.get("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert answer.json()["type"] == "/problems/no-session"


async def test_a_lot_without_a_notice_charges_nothing(api: Api, town: Town) -> None:
    await town.change_lot("KA", tariff=None)
    await api.until_lot("KA", lambda lot: lot["price_summary"] is None)
    await town.session("KA-001", now() - timedelta(hours=2))
    await town.report("KA-001", occupied=True)
    session = await api.json("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert (session["due_fen"], session["fee"]["tariff"]) == (0, None)


async def test_the_words_of_a_fee_follow_the_reader(api: Api, town: Town) -> None:
    await town.session("KA-001", NOON_IN_CHINA, NOON_IN_CHINA + timedelta(minutes=61))
    path, params = "/api/v1/spaces/KA-001/session", printed("KA-001")
    chinese = await api.json(path, params=params)
    english = await api.json(path, params=params, headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert "小时" in chinese["fee"]["lines"][0]["why"]
    assert "hour" in english["fee"]["lines"][0]["why"]


async def test_a_token_printed_for_another_space_is_refused(api: Api, town: Town) -> None:
    await town.session("KA-001", now() - timedelta(hours=2))
    for wrong in (
        space_token(SECRET, "KA-002"),
        space_token("another secret key of 32 characters", "KA-001"),
        "",
        "浙",
    ):
        answer = await api.get("/api/v1/spaces/KA-001/session", params={"k": wrong})
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/wrong-code"), wrong
        assert str(NOON_IN_CHINA.year) not in answer.text


async def test_whoever_walks_through_the_numbers_is_stopped_and_whoever_scans_is_not(api: Api, town: Town) -> None:
    await town.session("KA-001", now() - timedelta(hours=2))
    await town.report("KA-001", occupied=True)
    typed = [(await api.get(f"/api/v1/spaces/KA-{n:03d}/session")).status_code for n in range(1, 9)]
    assert typed[0] == 200
    assert typed[6:] == [429, 429]
    scanned = [
        (await api.get("/api/v1/spaces/KA-001/session", params=printed("KA-001"))).status_code for _ in range(20)
    ]
    assert set(scanned) == {200}


QUOTES = [
    ("2026-03-10T07:00:40", "2026-03-10T08:01:10", 300),
    ("2026-03-10T06:31:00", "2026-03-10T08:30:00", 300),
    ("2026-03-10T20:45:00", "2026-03-11T07:45:00", 0),
    ("2026-03-10T20:30:00", "2026-03-11T08:00:00", 300),
    ("2026-03-10T09:00:00", "2026-03-10T10:15:00", 600),
    ("2026-03-10T20:00:00", "2026-03-13T08:00:00", 8_700),
]


async def test_quotes_are_what_the_county_charges_however_the_offset_is_written(api: Api) -> None:
    for enter, leave, total_fen in QUOTES:
        for offset in ("+08:00", "%2B08:00"):
            path = f"/api/v1/lots/KA/quote?enter={enter}{offset}&leave={leave}{offset}&vehicle=small"
            fee = await api.json(path)
            assert fee["total_fen"] == total_fen == sum(line["amount_fen"] for line in fee["lines"]), path
            assert fee["tariff"] == {"code": "xinchang-kerb", "version": 1}


@pytest.mark.parametrize("enter", ["2026-13-10T09:00:00Z", "2026-02-30T09:00:00Z", "2026-03-10T09:00:00%2B99:00"])
async def test_an_instant_that_no_clock_shows_is_refused_in_our_words(api: Api, enter: str) -> None:
    refused = await api.client.get(f"/api/v1/lots/KA/quote?enter={enter}&leave=2026-03-10T10:15:00Z")
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("query.enter: an instant such as "), refused.text
