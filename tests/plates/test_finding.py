"""Plates are found by the whole of them or by their end, look-alike characters forgiven, under any key of the ring."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates import PlateKey, PlateVault, find_plate_id, find_plates, store_plate, vault_of
from billing.plates.finding import FragmentTooShortError
from core.db import Database
from core.errors import InvalidError
from core.plate import parse_plate
from core.tables import PlateRow

services = pytest.mark.services

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)
OLD = PlateKey("an older key of this installation...", 1)
NEW = PlateKey("a newer key of this installation....", 2)
RING = PlateVault((NEW, OLD))
BEFORE = PlateVault((OLD,))
KNOWN = ("浙D12345", "浙D1234S", "浙B12345", "浙D98765", "浙DD12345", "沪A0B8Z2")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[AsyncConnection]:
    database = Database(database_url)
    async with database.transaction() as db:
        for place, plate in enumerate(KNOWN):
            await store_plate(db, BEFORE if place % 2 else RING, parse_plate(plate), at=NOW)
        yield db
    await database.close()


async def found(db: AsyncConnection, fragment: str, limit: int = 10) -> list[tuple[str, bool]]:
    return [(one.plate.text, one.is_exact) for one in await find_plates(db, RING, fragment, limit=limit)]


@services
@pytest.mark.parametrize(
    ("typed", "exact", "alike"),
    [
        ("浙D12345", {"浙D12345"}, {"浙D1234S"}),
        ("浙d·i2345", {"浙D12345"}, {"浙D1234S"}),
        ("2345", {"浙D12345", "浙B12345", "浙DD12345"}, {"浙D1234S"}),
        ("12345", {"浙D12345", "浙B12345", "浙DD12345"}, {"浙D1234S"}),
        ("D12345", {"浙D12345", "浙DD12345"}, {"浙D1234S"}),
        ("dd12345", {"浙DD12345"}, set()),
        ("88zz", set(), {"沪A0B8Z2"}),
        ("o8bzz", set(), {"沪A0B8Z2"}),
        ("9999", set(), set()),
    ],
)
async def test_a_fragment_finds_what_ends_with_it_and_what_looks_alike(
    db: AsyncConnection, typed: str, exact: set[str], alike: set[str]
) -> None:
    answers = await found(db, typed)
    assert {text for text, is_exact in answers if is_exact} == exact
    assert {text for text, is_exact in answers if not is_exact} == alike
    assert [is_exact for _, is_exact in answers] == sorted((is_exact for _, is_exact in answers), reverse=True)


@services
async def test_the_exact_ones_are_given_before_the_limit_and_others_than_those_meant_are_not(
    db: AsyncConnection,
) -> None:
    assert all(is_exact for _, is_exact in await found(db, "2345", limit=3))
    other = select(PlateRow.id).where(PlateRow.key_number == NEW.number)
    texts = {one.plate.text for one in await find_plates(db, RING, "2345", limit=9, among=other)}
    assert texts == {"浙D12345", "浙B12345", "浙DD12345"}


@services
async def test_too_short_a_fragment_is_refused_and_a_found_plate_shows_itself_masked(db: AsyncConnection) -> None:
    with pytest.raises(FragmentTooShortError):
        await find_plates(db, RING, "345", limit=10)
    (one,) = await find_plates(db, RING, "98765", limit=10)
    assert "98765" not in repr(one)
    assert not one.is_whole


@services
async def test_a_plate_stored_under_an_older_key_is_the_same_plate_and_without_that_key_nothing_is_found(
    db: AsyncConnection,
) -> None:
    plate = parse_plate("浙D98765")
    known = await find_plate_id(db, BEFORE, plate)
    assert known == await store_plate(db, RING, plate, at=NOW)
    only_new = PlateVault((NEW,))
    assert await find_plate_id(db, only_new, plate) is None
    assert await find_plates(db, only_new, "98765", limit=10) == []


def test_the_setting_is_one_key_or_a_ring_of_numbered_ones() -> None:
    one, two = "a" * 40, "b" * 40
    single = vault_of(one)
    assert single is not None
    assert (single.number, single.newest.secret) == (1, one)
    for written in (f"1:{one} 2:{two}", f"2:{two},1:{one}", f"1:{one}\n2:{two}\n"):
        ring = vault_of(written)
        assert ring is not None
        assert [key.number for key in ring.keys] == [2, 1]
        assert two not in repr(ring)
    for wrong in (f"1:{one} 1:{two}", f"1:{one} {two}", f"0:{one}", f"1:{one} 2:short", f"99999:{one}"):
        with pytest.raises(InvalidError):
            vault_of(wrong)
