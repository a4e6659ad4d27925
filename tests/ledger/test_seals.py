"""Seals on paper: printed by a command, compared with those that were kept."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from billing.ledger.digests import digest_days
from ops.commands.ledger import app
from tests.ledger.till import LATER, Till
from tests.support.county import SHANGHAI

pytestmark = pytest.mark.services


async def run(till: Till, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    """Exit status, output and complaints of ``parking ledger digest``."""
    monkeypatch.setenv("PARKING_DATABASE_URL", till.town.database.url)
    done = await asyncio.to_thread(CliRunner().invoke, app, ["digest", *words])
    return done.exit_code, done.stdout, done.stderr


async def test_a_seal_that_was_kept_shows_a_changed_past(
    till: Till, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await till.stay(75)
    await till.bill()
    async with till.town.database.transaction() as db:
        assert await digest_days(db, now=LATER + timedelta(days=12), zone=SHANGHAI)
    status, kept, _ = await run(till, monkeypatch)
    day, last_entry, digest = kept.split()
    assert (status, len(digest), int(last_entry) > 0) == (0, 64, True)
    paper = tmp_path / "seals.txt"
    paper.write_text(kept)
    assert (await run(till, monkeypatch, "--against", str(paper)))[0] == 0
    async with till.town.database.transaction() as db:
        await db.execute(text("ALTER TABLE journal_digest DISABLE TRIGGER USER"))
        await db.execute(text("UPDATE journal_digest SET digest = sha256('another past')"))
    status, _, complaints = await run(till, monkeypatch, "--against", str(paper))
    assert status == 1
    assert f"{day}: the entries are not those that were sealed" in complaints
    assert f"{day}: another seal than the one that was kept" in complaints
