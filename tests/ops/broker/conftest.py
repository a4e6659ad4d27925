"""A broker of its own, and a street behind it, for tests that change who is let in."""

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from core.db import Database
from ops.services import RunningServices, start
from ops.state import State
from tests.support.services import folder_for_state
from tests.support.street import Street, built_street


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An installation's state and broker, and three registered sensors in a database."""

    state: State
    street: Street
    database: Database

    @property
    def url(self) -> str:
        """The broker, as the tester."""
        return self.street.endpoints.mqtt_tester_url


@pytest.fixture(scope="session")
def own_broker() -> Iterator[tuple[State, RunningServices]]:
    """Apart from the one that all other tests share; the database is theirs."""
    folder = folder_for_state()
    state = State.find(folder / "state")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PARKING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
            services = start(state, lambda _: None)
        with services:
            yield state, services
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def place(own_broker: tuple[State, RunningServices], database_url: str) -> AsyncIterator[Place]:
    state, services = own_broker
    database = Database(database_url, pool_size=1)
    async with built_street(services.endpoints, database_url, count=3) as street:
        yield Place(state=state, street=street, database=database)
    await database.close()
