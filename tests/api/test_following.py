"""The city in memory follows the tables through lost connections, long transactions and virtual time."""

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.api.conftest import running
from tests.api.town import THIS_TRANSACTION, Town, now

pytestmark = pytest.mark.services

CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND {whose}"


async def test_what_was_written_while_the_connection_was_cut_is_seen_afterwards(town: Town) -> None:
    async with running(town.database.url) as api:
        assert await town.scalar(CUT.format(whose="application_name LIKE 'parking-api%'"))
        await town.report("KA-001", occupied=True)
        await api.until_states("ouuuu")
        await town.report("KA-001", occupied=False)  # and NOTIFY is heard again
        await api.until_states("fuuuu")


async def test_a_transaction_that_commits_late_is_not_missed(town: Town) -> None:
    """It has an older number than those committed before it; reading by the newest number seen would skip it."""
    async with running(town.database.url) as api:
        late = await town.database.engine.connect()
        number = (await late.execute(text("SELECT pg_current_xact_id()::text::bigint"))).scalar_one()
        await town.report("KA-002", occupied=True)
        await api.until_states("uouuu")
        state = (
            "INSERT INTO space_state (space_id, occupancy, last_heard_at, written_xid) VALUES (:id, 'free', now(), :n)"
        )
        await late.execute(text(state), {"id": town.spaces["KA-001"], "n": number})
        await late.execute(text("NOTIFY parking_state"))
        await late.commit()
        await late.close()
        await api.until_states("fouuu")


async def test_what_nobody_announces_is_seen_by_looking(town: Town) -> None:
    async with running(town.database.url) as api:
        state = "INSERT INTO space_state (space_id, occupancy, last_heard_at, written_xid) SELECT id, 'free', now(), "
        numbered = "pg_current_xact_id()::text::bigint FROM space WHERE code = 'KA-001' RETURNING 1"
        assert str(THIS_TRANSACTION)
        await town.scalar(state + numbered)
        await api.until_states("fuuuu")


async def test_a_city_that_is_already_there_is_shown_at_once_with_its_trend(town: Town) -> None:
    for number, code in enumerate(("KA-001", "KA-002"), start=1):
        await town.session(code, now() - timedelta(minutes=number))
        await town.report(code, occupied=True)
    async with running(town.database.url) as api:
        assert await api.states() == "oouuu"
        assert (await api.lot("KA"))["trend"] == "filling"


async def test_on_a_fast_clock_silence_comes_sooner(town: Town) -> None:
    await town.report("KA-001", occupied=False)
    real_ms = time.time_ns() // 1_000_000
    async with running(town.database.url, clock=f"{real_ms}/{real_ms}/900") as api:  # an hour in four seconds
        await api.until_states("fuuuu")
        await api.until_states("uuuuu")


async def test_a_version_is_never_lower_than_before_a_restart(town: Town) -> None:
    async with running(town.database.url) as api:
        await town.report("KA-001", occupied=True)
        await api.until_states("ouuuu")
        before = (await api.json("/api/v1/spaces/state"))["version"]
    await asyncio.sleep(1)
    async with running(town.database.url) as api:
        assert (await api.json("/api/v1/spaces/state"))["version"] >= before
