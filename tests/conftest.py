"""Fixtures for everybody: the real services, a migrated database for each test, a street with sensors."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from hypothesis import HealthCheck, settings

from core.db import Database
from ops.services import RunningServices
from tests.support.databases import copied_database, create_template
from tests.support.services import running_services
from tests.support.street import Street, built_street

settings.register_profile("however-slow-the-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("however-slow-the-machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long (browsers, then services), so that no process works alone at the end."""
    items.sort(key=lambda item: [item.get_closest_marker(slow) is None for slow in ("browser", "services")])


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> None:
    """No test hears less, or elsewhere, because of what a command run by an earlier one had set."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def services() -> Iterator[RunningServices]:
    """TimescaleDB and mosquitto, one of each for the whole run."""
    with running_services() as services:
        yield services


@pytest.fixture(scope="session")
def template(services: RunningServices) -> str:
    """Name of the migrated database that others are copied from."""
    with ThreadPoolExecutor(1) as apart:  # a loop may be running here, and the migrations run their own
        return apart.submit(create_template, services.endpoints.database_url).result()


@pytest.fixture
async def database_url(services: RunningServices, template: str) -> AsyncIterator[str]:
    """A database of this test's own: schema and the kerb tariff, nothing else."""
    async with copied_database(services.endpoints.database_url, template) as url:
        yield url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Database]:
    """That database as our own code speaks with it."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def street(services: RunningServices, database_url: str) -> AsyncIterator[Street]:
    """Ten spaces with sensors in a lot charged by the kerb tariff; ``street.start_ingest()`` starts the process."""
    async with built_street(services.endpoints, database_url) as street:
        yield street
