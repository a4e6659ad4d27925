"""A kiosk finds what somebody may pay for, takes the money, and says nothing of strangers."""

from datetime import timedelta

import pytest

from api.limits import KIOSK_PLATES, KIOSK_SPACES
from api.passwords import hash_password
from billing.bills import bill_ended_sessions
from billing.receipts import public_key_of, verify_token
from core.clock import rfc3339
from tests.api.conftest import SECRET
from tests.api.town import now
from tests.kiosk.conftest import Kiosk, gone, just_gone, printed, seen
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services


async def test_a_kiosk_learns_who_it_is_and_whom_to_call(kiosk: Kiosk) -> None:
    me = (await kiosk.get("/me")).json()
    assert me["help_phone"] == "0575-86000000"
    assert me["channels"] == ["wechat", "alipay"]
    assert (me["events_seq"], me["lot_id"]) == (0, None)
    assert me["server_time"]


async def test_by_space_a_stay_is_found_paid_watched_and_proved_by_a_token_without_a_network(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    found = await kiosk.find(space=" ka-001 ")
    assert [match["session"]["id"] for match in found["matches"]] == [str(session_id)]
    assert found["matches"][0]["session"]["due_fen"] == 600
    begun = await kiosk.post(f"/sessions/{session_id}/payments", channel="wechat")
    assert begun.status_code == 201, begun.text
    payment = begun.json()["payment"]
    assert (payment["amount_fen"], bool(payment["code_url"]), bool(begun.json()["server_time"])) == (600, True, True)
    await kiosk.desk.pay(payment)
    assert (await kiosk.get(f"/payments/{payment['id']}")).json()["payment"]["status"] == "paid"
    shown = (await kiosk.get(f"/sessions/{session_id}")).json()["session"]
    assert (shown["paid_fen"], shown["due_fen"]) == (600, 0)
    receipt = (await kiosk.post(f"/sessions/{session_id}/receipt")).json()
    proof = verify_token(public_key_of(SECRET), receipt["token"])
    assert (proof.number, proof.paid_fen, proof.space_code) == (receipt["number"], 600, "KA-001")
    assert receipt["url"].endswith(f"/r/{receipt['number']}")
    assert await kiosk.desk.one("SELECT count(*) FROM payment WHERE device_key_id IS NOT NULL") == 1


async def test_a_scanned_code_is_believed_only_with_its_token(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    found = await kiosk.find(code=printed("KA-001"))
    assert found["matches"][0]["session"]["id"] == str(session_id)
    for wrong in (printed("KA-001")[:-1] + "x", "https://parking.example/s/KA-001", "nonsense", "http://[", "KA-001"):
        found = await kiosk.find(code=wrong)
        assert (found["matches"], found["next"]) == ([], ["space", "code", "help"])


async def test_nothing_found_is_an_answer_with_a_way_on(kiosk: Kiosk) -> None:
    for by in ({"space": "KA-002"}, {"space": "ZZ-999"}, {"plate": "9999"}):
        found = await kiosk.find(**by)
        assert (found["matches"], found["more"], found["next"]) == ([], False, ["space", "code", "help"])


async def test_a_part_of_a_plate_shows_masked_choices_without_place_or_time_and_one_more_thing_opens_one(
    kiosk: Kiosk,
) -> None:
    one, other = await kiosk.desk.running(), await kiosk.desk.running(code="KA-002")
    await seen(kiosk.desk, one, "浙D12B45")
    await seen(kiosk.desk, other, "浙A1284S")
    answer = await kiosk.post("/find", plate="1284 5")
    assert "KA-00" not in answer.text
    assert "entered_at" not in answer.text
    matches = answer.json()["matches"]
    assert [match["session"] for match in matches] == [None, None], "look-alike characters are forgiven"
    assert "12B45" not in answer.text, "masked"
    assert "1284S" not in answer.text
    choice = next(match["choice"] for match in matches if match["plate"].startswith("浙D"))
    wrong = await kiosk.post(f"/choices/{choice}", space="KA-002")
    assert (wrong.status_code, wrong.json()["type"]) == (403, "/problems/not-confirmed")
    assert wrong.json()["facts"]["tries_left"] == 2
    assert (await kiosk.get(f"/sessions/{one}")).status_code == 404, "not opened yet"
    right = await kiosk.post(f"/choices/{choice}", space="ka-001")
    assert right.json()["session"]["id"] == str(one)
    assert (await kiosk.get(f"/sessions/{one}")).status_code == 200


async def test_the_whole_plate_is_enough_where_a_warden_or_camera_saw_it_and_a_claim_alone_is_not(kiosk: Kiosk) -> None:
    trusted, claimed = await kiosk.desk.running(), await kiosk.desk.running(code="KA-002")
    await seen(kiosk.desk, trusted, "浙D12345", source="camera")
    await seen(kiosk.desk, claimed, "浙D67890", source="claim")
    assert (await kiosk.find(plate="浙D·12345"))["matches"][0]["session"]["id"] == str(trusted)
    match = (await kiosk.find(plate="浙D67890"))["matches"][0]
    assert match["session"] is None
    assert (await kiosk.post(f"/choices/{match['choice']}", plate="浙D67890")).status_code == 403
    assert (await kiosk.post(f"/choices/{match['choice']}", space="KA-002")).status_code == 200


async def test_a_claim_for_a_strangers_stay_finds_nothing_once_somebody_saw_the_vehicle(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    await seen(kiosk.desk, session_id, "浙D67890", source="claim")
    await seen(kiosk.desk, session_id, "浙D12345")
    assert (await kiosk.find(plate="67890"))["matches"] == []


async def test_a_choice_belongs_to_its_kiosk_ends_after_three_wrong_answers_and_after_three_minutes(
    kiosk: Kiosk, desk: Desk
) -> None:
    session_id = await desk.running()
    await seen(desk, session_id, "浙D12345")
    other = Kiosk(desk=desk, key=await desk.town.key("kiosk"))

    async def choice() -> str:
        return str((await kiosk.find(plate="2345"))["matches"][0]["choice"])

    first = await choice()
    assert (await other.post(f"/choices/{first}", space="KA-001")).status_code == 404
    assert [(await kiosk.post(f"/choices/{first}", space="KA-009")).status_code for _ in range(3)] == [403] * 3
    assert (await kiosk.post(f"/choices/{first}", space="KA-001")).status_code == 404
    second = await choice()
    await desk.do("UPDATE kiosk_find SET found_at = found_at - interval '4 minutes'")
    assert (await kiosk.post(f"/choices/{second}", space="KA-001")).status_code == 404


async def test_a_kiosk_goes_on_only_with_what_it_found_lately(kiosk: Kiosk, desk: Desk) -> None:
    session_id = await desk.running()
    assert (await kiosk.post(f"/sessions/{session_id}/payments", channel="wechat")).status_code == 404
    await kiosk.find(space="KA-001")
    other = Kiosk(desk=desk, key=await desk.town.key("kiosk"))
    assert (await other.post(f"/sessions/{session_id}/payments", channel="wechat")).status_code == 404
    payment = (await kiosk.post(f"/sessions/{session_id}/payments", channel="alipay")).json()["payment"]
    assert (await other.get(f"/payments/{payment['id']}")).status_code == 404
    await desk.do("UPDATE kiosk_find SET confirmed_at = confirmed_at - interval '31 minutes'")
    assert (await kiosk.get(f"/sessions/{session_id}")).status_code == 404
    assert (await kiosk.post(f"/sessions/{session_id}/receipt")).status_code == 404


async def test_amounts_and_odd_bodies_are_refused(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    await kiosk.find(space="KA-001")
    odd = await kiosk.post(f"/sessions/{session_id}/payments", channel="wechat", amount_fen=1)
    assert odd.status_code == 422
    for body in ({}, {"space": "KA-001", "plate": "浙D12345"}, {"plate": "123"}, {"space": "x" * 65}):
        assert (await kiosk.post("/find", **body)).status_code == 422, body


async def test_a_stay_that_just_ended_is_still_found_by_plate_and_an_old_one_is_not(kiosk: Kiosk, desk: Desk) -> None:
    lately, long_ago = await just_gone(desk), await gone(desk, 3, "KA-002")
    for session_id in (lately, long_ago):
        await seen(desk, session_id, "浙D12345")
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)
    found = await kiosk.find(plate="浙D12345")
    assert [match["session"]["id"] for match in found["matches"]] == [str(lately)]


async def test_walking_through_space_numbers_and_plates_is_stopped_and_seen(kiosk: Kiosk, desk: Desk) -> None:
    answers = [(await kiosk.post("/find", space=f"KA-{n:03}")).status_code for n in range(KIOSK_SPACES.burst + 2)]
    assert answers == [200] * KIOSK_SPACES.burst + [429] * 2
    answers = [(await kiosk.post("/find", plate=f"00{n:02}")).status_code for n in range(KIOSK_PLATES.burst + 1)]
    assert answers[-1] == 429
    other = Kiosk(desk=desk, key=await desk.town.key("kiosk"))
    assert (await other.post("/find", space="KA-001")).status_code == 200, "each kiosk for itself"
    assert 'parking_kiosk_finds_total{by="space",device="1",outcome="limited"} 2.0' in await metrics(desk)
    await desk.do(
        "INSERT INTO kiosk_find (device_key_id, by, found_at) SELECT 1, 'space', now() FROM generate_series(1, 60)"
    )
    await desk.town.operator("ward", "warden", hash_password("correct horse"))
    login = await desk.api.client.post("/api/v1/operator/login", json={"login": "ward", "password": "correct horse"})
    assert login.status_code == 200
    kiosks = (await desk.api.client.get("/api/v1/operator/kiosks")).json()
    assert [one["is_odd"] for one in kiosks] == [True, False]
    assert kiosks[0]["nothing_hour"] >= 75


async def metrics(desk: Desk) -> str:
    return (await desk.api.client.get("/metrics")).text


async def test_a_replayed_queue_is_kept_once_whatever_it_says_the_second_time(kiosk: Kiosk) -> None:
    first = {"seq": 16, "at": rfc3339(now() - timedelta(hours=3)), "kind": "offline", "detail": {}}
    second = {"seq": 17, "at": "1970-01-01T00:00:00Z", "kind": "printer-empty", "detail": {"tray": 1}}
    answer = (await kiosk.post("/events", events=[first, second])).json()
    assert (answer["stored"], answer["repeated"], answer["events_seq"]) == (2, 0, 17)
    again = (await kiosk.post("/events", events=[first, second | {"kind": "help"}, second])).json()
    assert (again["stored"], again["repeated"], again["events_seq"]) == (0, 3, 17)
    assert await kiosk.desk.one("SELECT kind FROM kiosk_event WHERE seq = 17") == "printer-empty"
    assert (await kiosk.get("/me")).json()["events_seq"] == 17
    for bad in ({"seq": 0}, {"kind": "party"}, {"at": "2026-11-23T10:00:00"}, {"detail": {"x": "y" * 3_000}}):
        assert (await kiosk.post("/events", events=[first | bad])).status_code == 422, bad


async def test_a_revoked_key_opens_nothing_from_the_next_request_on(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    await kiosk.find(space="KA-001")
    await kiosk.desk.do("UPDATE device_key SET revoked_at = now()")
    for answer in (
        await kiosk.get("/me"),
        await kiosk.post("/find", space="KA-001"),
        await kiosk.post(f"/sessions/{session_id}/payments", channel="wechat"),
        await kiosk.post("/events", events=[]),
    ):
        assert answer.status_code == 401
