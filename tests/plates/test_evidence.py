"""Wardens, cameras and drivers say who parked: the best evidence counts, the others stay, and it follows its stay."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from billing.bills import bill_ended_sessions
from billing.evidence.following import follow_stays
from billing.evidence.placing import Placed, session_for
from tests.api.town import now
from tests.plates.conftest import Beat, picture

services = pytest.mark.services

BEGAN = now() - timedelta(hours=3)
HOUR = timedelta(hours=1)
A, B, C = uuid4(), uuid4(), uuid4()


def stay(session_id: UUID, begin: float, end: float | None, *, is_void: bool = False) -> Placed:
    return Placed(
        session_id=session_id,
        entered_at=BEGAN + begin * HOUR,
        left_at=None if end is None else BEGAN + end * HOUR,
        is_void=is_void,
    )


def where(*stays: Placed, at: float, is_claim: bool = False, current: UUID | None = None) -> UUID | None:
    return session_for(stays, observed_at=BEGAN + at * HOUR, is_claim=is_claim, current=current)


def test_what_was_seen_belongs_to_the_stay_that_was_there_or_just_about_to_be() -> None:
    assert where(stay(A, 0, 1), stay(B, 1, None), at=1) == B
    assert where(stay(A, 0, 1), at=0.999) == A
    assert where(stay(A, 0, 1), at=1.5) is None
    assert where(stay(A, 1, 2), at=0.98) == A
    assert where(stay(A, 1, 2), at=0.95) is None
    assert where(stay(A, 0, 1), at=0.5, current=C) == A


def test_a_stay_that_is_split_or_void_hands_its_evidence_on() -> None:
    split = (stay(A, 0, 1), stay(B, 2, None))
    assert where(*split, at=2.5, current=A) == B
    assert where(*split, at=2.5, is_claim=True, current=A) == A
    gone = (stay(C, 0, 3, is_void=True), stay(A, 0, 1), stay(B, 1, 3))
    assert where(*gone, at=9, is_claim=True, current=C) == B
    assert where(stay(C, 0, 3, is_void=True), at=9, current=C) is None


@services
async def test_a_warden_identifies_a_car_and_the_photo_is_kept_sealed_without_its_metadata(beat: Beat) -> None:
    session_id = await beat.town.session("KA-001", BEGAN)
    exif = picture(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0 29.5053N 120.9002E " + b"\0" * 8)
    answer = await beat.attach(session_id, "浙d·12345", photo=exif, colour="blue")
    assert answer.status_code == 201, answer.text
    assert answer.json()["session_id"] == str(session_id)
    shown = await beat.plates(session_id)
    (one,) = shown["evidence"]
    assert (one["plate"], one["source"], one["has_photo"]) == ("浙D***45", "warden", True)
    (file,) = beat.photos.glob("*/*")
    assert "12345" not in file.name
    assert b"JFIF" not in file.read_bytes()
    photo = await beat.asks("GET", f"/evidence/{one['id']}/photo", "li")
    assert (photo.status_code, photo.headers["content-type"]) == (200, "image/jpeg")
    assert b"29.5053" not in photo.content
    assert b"Exif" not in photo.content
    assert await beat.one("SELECT count(*) FROM audit WHERE action = 'photo.seen' AND actor = 'operator:li'") == 1
    path = f"/api/v1/operator/evidence/{one['id']}/photo"
    assert (await beat.api.client.get(path)).status_code == 401


@services
async def test_the_best_evidence_counts_the_others_stay_and_disagreement_is_seen(beat: Beat) -> None:
    session_id = await beat.town.session("KA-001", BEGAN)
    assert (await beat.claims(session_id, "浙D11111")).status_code == 201
    assert not (await beat.plates(session_id))["disagrees"]
    for plate, confidence in (("浙D22222", 60), ("浙D33333", 95)):
        assert (await beat.sees("KA-001", plate, BEGAN + HOUR, confidence=confidence)).status_code == 202
    shown = await beat.plates(session_id)
    assert next(one["plate"][-2:] for one in shown["evidence"]) == "33"
    assert (await beat.attach(session_id, "浙D44444")).status_code == 201
    shown = await beat.plates(session_id)
    assert shown["disagrees"]
    assert next(one["plate"][-2:] for one in shown["evidence"]) == "44"
    assert len(shown["evidence"]) == 4
    listed = (await beat.asks("GET", "/evidence/disagreeing", "li")).json()
    assert [one["session_id"] for one in listed] == [str(session_id)]


@services
async def test_what_a_camera_sees_before_anybody_knows_of_a_stay_finds_it_later(beat: Beat) -> None:
    seen = (await beat.sees("KA-002", "浙D12345", BEGAN - timedelta(seconds=30))).json()
    assert seen["session_id"] is None
    assert (await beat.sees("KA-002", "浙D12345", BEGAN - timedelta(seconds=30))).json() == seen | {"repeated": True}
    unplaced = (await beat.asks("GET", "/evidence/unplaced")).json()
    assert [one["id"] for one in unplaced] == [seen["evidence_id"]]
    session_id = await beat.town.session("KA-002", BEGAN)
    async with beat.town.database.transaction() as db:
        assert await follow_stays(db, at=now(), limit=100) == 1
    assert len((await beat.plates(session_id))["evidence"]) == 1
    assert (await beat.asks("GET", "/evidence/unplaced")).json() == []


@services
async def test_evidence_follows_a_stay_that_is_split_and_one_that_becomes_void_and_both_are_priced_again(
    beat: Beat,
) -> None:
    first = await beat.town.session("KA-001", BEGAN, BEGAN + 2 * HOUR)
    assert (await beat.sees("KA-001", "浙D12345", BEGAN + 1.5 * HOUR, colour="yellow")).status_code == 202
    await bill(beat)
    # a late reading: it left in between, and another came
    await beat.do("UPDATE parking_session SET left_at = :at, revision = 2 WHERE id = :id", at=BEGAN + HOUR, id=first)
    second = await beat.town.session("KA-001", BEGAN + 1.25 * HOUR, BEGAN + 2 * HOUR)
    await bill(beat)
    assert (await beat.plates(first))["evidence"] == []
    assert len((await beat.plates(second))["evidence"]) == 1
    assert await vehicle(beat, second) == "large"
    assert await vehicle(beat, first) is None
    # and another: the second never was
    await beat.do(
        "UPDATE parking_session SET status = 'void', revision = 2, revised_at = now() WHERE id = :id", id=second
    )
    await beat.do(
        "UPDATE parking_session SET left_at = :at, revision = 4 WHERE id = :id", at=BEGAN + 2 * HOUR, id=first
    )
    await bill(beat)
    assert len((await beat.plates(first))["evidence"]) == 1
    assert await vehicle(beat, first) == "large"


@services
async def test_a_plate_seen_after_the_bill_corrects_it(beat: Beat) -> None:
    session_id = await beat.town.session("KA-001", BEGAN, BEGAN + 2 * HOUR)
    await bill(beat)
    assert await vehicle(beat, session_id) is None
    late = (BEGAN + HOUR).isoformat()
    assert (await beat.attach(session_id, "浙DD12345", observed_at=late)).status_code == 201
    await bill(beat)
    assert await vehicle(beat, session_id) == "small-nev"
    assert (await beat.claims(session_id, "浙D99999")).status_code == 201
    await bill(beat)
    assert await beat.one("SELECT count(*) FROM bill") == 2


@services
async def test_the_patrol_lists_unidentified_cars_the_longest_first(beat: Beat) -> None:
    sessions = [await beat.town.session(code, BEGAN + place * HOUR) for place, code in enumerate(("KA-002", "KB-001"))]
    known = await beat.town.session("KA-001", BEGAN - HOUR)
    assert (await beat.attach(known, "浙D12345")).status_code == 201
    assert (await beat.claims(sessions[0], "浙D54321")).status_code == 201
    asked_at = now()
    listed = (await beat.asks("GET", "/patrol")).json()
    assert [(one["space_code"], one["claimed"]) for one in listed] == [("KA-002", True), ("KB-001", False)]
    assert listed[0]["minutes"] - (asked_at - BEGAN) // timedelta(minutes=1) in {0, 1}
    assert [one["space_code"] for one in (await beat.asks("GET", "/patrol?lot=KB")).json()] == ["KB-001"]
    near = (await beat.asks("GET", "/patrol?near=120.9002,29.5053&radius_m=100")).json()
    assert [one["space_code"] for one in near] == ["KA-002"]
    assert near[0]["distance_m"] < 100
    assert (await beat.asks("GET", "/patrol?near=here")).status_code == 422
    assert (await beat.asks("GET", "/patrol", "li")).status_code == 403


async def bill(beat: Beat) -> None:
    """What the worker does."""
    async with beat.town.database.transaction() as db:
        await follow_stays(db, at=now(), limit=100)
    async with beat.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=100)


async def vehicle(beat: Beat, session_id: UUID) -> str | None:
    """Whom the current bill charges."""
    kept: str | None = await beat.one(
        "SELECT fee->'inputs'->>'vehicle' FROM current_bill WHERE session_id = :id", id=session_id
    )
    return kept
