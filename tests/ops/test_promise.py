"""The promise on the demo's live line: kept while all is well, patient with what is on its way, untrue when it is."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from core.clock import RealClock
from core.db import Database
from ops.chaos import VICTIMS, Chaos
from ops.verify import Promise, PromiseWatch
from simulator.truth import Checkpoint, Line, StayLine
from tests.ops.test_verify import UNTIL, Told, at
from tests.support.street import Street


@pytest.fixture
async def told(street: Street, tmp_path: Path) -> Told:
    """A stay that cost nothing, one that goes on, and two readings, all stored."""
    told = Told(street, tmp_path / "truth.jsonl")
    await told.stay("KL-001", "03:00", "03:20", 0)
    await told.stay("KL-002", "11:00:00.001", None)
    await told.reading("KL-001", "00:30", 1)
    await told.reading("KL-001", "01:30", 2)
    return told


@pytest.fixture
async def database(street: Street) -> AsyncIterator[Database]:
    database = Database(street.database_url, pool_size=1)
    yield database
    await database.close()


async def looked(told: Told, database: Database, *, patience_seconds: float = 0.0) -> Promise:
    """The second look: what differs has been seen before."""
    watch = PromiseWatch(truth=told.write(), clock=RealClock(), patience_seconds=patience_seconds)
    await watch.look(database)
    promise = await watch.look(database)
    assert promise is not None
    return promise


@pytest.mark.services
class TestThePromise:
    async def test_is_kept_where_everything_is_as_it_was(self, told: Told, database: Database) -> None:
        promise = await looked(told, database)
        assert promise.is_kept, promise
        assert (promise.stays, promise.proved_until) == (1, UNTIL)
        assert str(promise).startswith("readings lost 0, counted twice 0, fen unexplained 0")

    async def test_is_of_nothing_before_the_first_checkpoint(self, tmp_path: Path, database: Database) -> None:
        watch = PromiseWatch(truth=tmp_path / "not-there-yet.jsonl", clock=RealClock())
        assert await watch.look(database) is None

    async def test_names_a_reading_that_is_lost(self, told: Told, database: Database) -> None:
        await told.reading("KL-001", "02:30", 3, stored=False)
        promise = await looked(told, database)
        assert (promise.is_kept, promise.lost) == (False, 1)

    async def test_names_what_is_stored_and_was_never_sent(self, told: Told, database: Database) -> None:
        await told.store_reading("KL-001", "02:30", 3)
        await told.store("KL-003", "05:00", "06:00", 0)
        promise = await looked(told, database)
        assert (promise.is_kept, promise.counted_twice) == (False, 2)

    async def test_names_fen_that_no_notice_explains_and_the_books_that_lack_them(
        self, told: Told, database: Database
    ) -> None:
        await told.stay("KL-003", "05:00", "06:00", 300, stored=False)
        await told.store("KL-003", "05:00", "06:00", 600)
        promise = await looked(told, database)
        assert (promise.is_kept, promise.unexplained_fen) == (False, 300)
        assert "I6" in promise.broken

    async def test_waits_for_what_is_on_its_way(self, told: Told, database: Database) -> None:
        await told.reading("KL-001", "02:30", 3, stored=False)
        await told.stay("KL-003", "05:00", "06:00", 0, stored=False)
        promise = await looked(told, database, patience_seconds=60)
        assert promise.is_kept, promise

    async def test_goes_on_from_what_was_proved(self, told: Told, database: Database) -> None:
        path = told.write()
        watch = PromiseWatch(truth=path, clock=RealClock(), patience_seconds=0)
        await watch.look(database)
        await told.stay("KL-004", "12:10", "12:30", 0)
        stay = StayLine("KL-004", told.street.sensor("KL-004"), "KL", at("12:10"), at("12:30"), 0)
        checkpoint = Checkpoint(complete_until=at("13:00"), readings=2, fingerprint=str(told.fingerprint))
        with path.open("ab") as file:
            for line in (Line(stay=stay), Line(checkpoint=checkpoint)):
                file.write(encode(line))
            file.write(b'{"stay": {"space": "KL-0')  # the simulator is just writing
        promise = await watch.look(database)
        assert promise is not None
        assert promise.is_kept, promise
        assert (promise.stays, promise.proved_until) == (2, at("13:00"))


def encode(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def test_the_same_seed_chooses_the_same_victims_and_all_of_them_in_time() -> None:
    one, other = Chaos(seed=5), Chaos(seed=5)
    victims = [one.draw() for _ in range(100)]
    assert victims == [other.draw() for _ in range(100)]
    assert set(victims) == set(VICTIMS)
