"""A small town whose stays cost money."""

from collections.abc import AsyncIterator

import pytest

from tests.api.town import Town, built


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        yield town
