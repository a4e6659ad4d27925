"""A small town whose stays cost money, and who keeps its books."""

from collections.abc import AsyncIterator

import pytest

from tests.api.town import Town, built
from tests.ledger.till import Till


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        yield town


@pytest.fixture
def till(town: Town) -> Till:
    return Till(town)
