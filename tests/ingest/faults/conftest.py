"""Services of their own for the faults, because they are killed here; one of each for all of these tests."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ops.services import RunningServices
from tests.ingest.faults.county import County, built_county
from tests.support.databases import copied_database, create_template
from tests.support.services import running_services


@pytest.fixture(scope="package")
def own_services() -> Iterator[RunningServices]:
    with running_services() as services:
        yield services


@pytest.fixture(scope="package")
def own_template(own_services: RunningServices) -> str:
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(create_template, own_services.endpoints.database_url).result()


@pytest.fixture
async def county(own_services: RunningServices, own_template: str) -> AsyncIterator[County]:
    """Fifty spaces, a sensor on each; tests that need more build their own."""
    async with (
        copied_database(own_services.endpoints.database_url, own_template) as url,
        built_county(own_services, url, spaces=50) as county,
    ):
        yield county
