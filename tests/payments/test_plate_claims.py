"""A driver says whose session it is: kept so that nobody can read it, and nothing is told in return."""

from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag

from billing.plates import PlateKey, skeleton, vault_of
from core.errors import InvalidError
from core.plate import parse_plate
from tests.api.conftest import running
from tests.api.town import Town, now
from tests.payments.conftest import PLATE_KEY, Desk

services = pytest.mark.services

KEY = PlateKey(PLATE_KEY)


@services
async def test_a_claim_is_kept_as_ciphertext_and_found_by_its_tokens(desk: Desk) -> None:
    session_id = await desk.running()
    answer = await desk.api.client.post(f"/api/v1/sessions/{session_id}/plate", json={"plate": "浙d·12345"})
    assert (answer.status_code, answer.json()["kind"]) == (201, "civil")
    assert "12345" not in answer.text
    sealed = await desk.one("SELECT ciphertext FROM plate")
    assert KEY.open(sealed, "plate").decode() == "浙D12345"
    assert b"12345" not in sealed
    token = KEY.token("last4", "2345")
    assert await desk.one("SELECT count(*) FROM plate WHERE last4_token = :token", token=token) == 1
    evidence = "SELECT source || ' ' || session_id FROM plate_evidence"
    assert await desk.one(evidence) == f"claim {session_id}"


@services
async def test_a_claim_repeated_is_one_and_another_plate_is_another(desk: Desk) -> None:
    session_id = await desk.running()
    for plate in ("浙D12345", "浙D 12345", "浙D67890"):
        path = f"/api/v1/sessions/{session_id}/plate"
        assert (await desk.api.client.post(path, json={"plate": plate})).status_code == 201
    assert await desk.one("SELECT count(*) FROM plate_evidence") == 2
    assert await desk.one("SELECT count(*) FROM plate") == 2


@services
@pytest.mark.parametrize("plate", ["", "12345", "浙D1234", "浙I12345", "浙D12O45", "X" * 30])
async def test_what_is_no_plate_is_refused_without_repeating_it(desk: Desk, plate: str) -> None:
    session_id = await desk.running()
    answer = await desk.api.client.post(f"/api/v1/sessions/{session_id}/plate", json={"plate": plate})
    assert answer.status_code == 422
    assert not plate or plate not in answer.text
    assert await desk.one("SELECT count(*) FROM plate") == 0


@services
async def test_a_session_nobody_knows_and_too_many_claims(desk: Desk) -> None:
    path = f"/api/v1/sessions/{uuid4()}/plate"
    answers = [await desk.api.client.post(path, json={"plate": "浙D12345"}) for _ in range(12)]
    assert answers[0].json()["type"] == "/problems/session-not-found"
    assert answers[-1].status_code == 429
    assert await desk.one("SELECT count(*) FROM plate") == 0


@services
async def test_without_a_key_no_plate_is_taken(town: Town) -> None:
    session_id = await town.session("KA-001", now() - timedelta(hours=1))
    async with running(town.database.url) as api:
        answer = await api.client.post(f"/api/v1/sessions/{session_id}/plate", json={"plate": "浙D12345"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/plates-not-configured")


def test_the_same_plate_is_sealed_differently_each_time_and_opened_by_its_key_alone() -> None:
    plate = "浙DD12345".encode()
    one, two = KEY.seal(plate, "plate"), KEY.seal(plate, "plate")
    assert one != two
    assert KEY.open(one, "plate") == KEY.open(two, "plate") == plate
    for other in (PlateKey(PLATE_KEY + "!"), PlateKey(PLATE_KEY, 2)):
        with pytest.raises(InvalidTag):
            other.open(one, "plate")
        assert other.token("exact", "浙DD12345") != KEY.token("exact", "浙DD12345")
    altered = bytes([*one[:-1], one[-1] ^ 1])
    for sealed, what in ((altered, "plate"), (one, "photo")):
        with pytest.raises(InvalidTag):
            KEY.open(sealed, what)


def test_plates_that_look_alike_have_one_skeleton() -> None:
    assert skeleton(parse_plate("浙D1B0S2")) == skeleton(parse_plate("浙0180S2".replace("0", "D", 1)))
    assert skeleton(parse_plate("浙D12345")) != skeleton(parse_plate("浙D12346"))


def test_a_key_too_short_is_none() -> None:
    assert vault_of("") is None
    with pytest.raises(InvalidError):
        vault_of("short")
    assert PLATE_KEY not in repr(vault_of(PLATE_KEY))
