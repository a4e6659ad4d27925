"""A document becomes the next version of its notice; whoever repeats it changes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from billing.notices import read
from billing.published import Imported, fetch_versions, list_notices, publish_next
from billing.tariff.read import TariffInvalidError
from core.db import Database
from core.errors import TariffNotFoundError
from ops.cli import main

pytestmark = pytest.mark.services


def kerb(**changes: Any) -> bytes:
    """The kerb's notice, which the database has as version 1."""
    return json.dumps(json.loads(read("xinchang-kerb")) | changes).encode()


async def give(store: Database, document: bytes) -> Imported:
    async with store.transaction() as db:
        return await publish_next(db, document)


async def versions(store: Database) -> list[int]:
    async with store.transaction() as db:
        return [one.version for one in await fetch_versions(db, "xinchang-kerb")]


async def test_the_same_contents_again_change_nothing_however_they_are_written_down(store: Database) -> None:
    again = json.dumps(json.loads(kerb()), indent=4, sort_keys=True).encode()
    assert not (await give(store, again)).is_new
    assert await versions(store) == [1]


async def test_other_contents_become_the_next_version_once(store: Database) -> None:
    draft = kerb(valid_from="2027-01-01", exit_window={"minutes": 20})
    first, second = await give(store, draft), await give(store, draft)
    assert (first.is_new, first.tariff.version, first.asked_version, first.before) == (True, 2, 1, 1)
    assert (second.is_new, second.tariff.version) == (False, 2)
    assert await versions(store) == [1, 2]


async def test_a_number_above_all_published_ones_is_kept(store: Database) -> None:
    assert (await give(store, kerb(version=7, exit_window={"minutes": 20}))).tariff.version == 7
    assert (await give(store, kerb(version=3, exit_window={"minutes": 25}))).tariff.version == 8


async def test_an_older_versions_own_document_is_no_news_and_with_a_new_number_it_is(store: Database) -> None:
    await give(store, kerb(exit_window={"minutes": 20}))
    assert not (await give(store, kerb())).is_new
    assert (await give(store, kerb(version=3))).tariff.version == 3
    assert not (await give(store, kerb())).is_new


async def test_a_version_without_a_first_day_prices_the_past_and_says_so(store: Database) -> None:
    assert (await give(store, kerb(exit_window={"minutes": 20}))).prices_the_past
    assert not (await give(store, kerb(exit_window={"minutes": 25}, valid_from="2027-01-01"))).prices_the_past


async def test_what_the_check_refuses_is_not_published(store: Database) -> None:
    document = json.loads(kerb())
    document["plans"]["kerb"]["caps"] = [{"amount_fen": 100, "per": "calendar_day"}]
    with pytest.raises(TariffInvalidError, match="below the first price"):
        await give(store, json.dumps(document).encode())
    assert await versions(store) == [1]


async def test_many_who_publish_at_once_get_a_number_each(store: Database) -> None:
    drafts = [kerb(exit_window={"minutes": minutes}) for minutes in range(20, 26)]
    done = await asyncio.gather(*(give(store, draft) for draft in drafts))
    assert sorted(one.tariff.version for one in done) == [2, 3, 4, 5, 6, 7]


async def test_the_list_names_notices_and_an_unknown_code_is_refused(store: Database) -> None:
    async with store.transaction() as db:
        (listed,) = await list_notices(db)
        assert (listed.code, listed.newest.version, listed.versions, listed.lots) == ("xinchang-kerb", 1, 1, ())
        with pytest.raises(TariffNotFoundError):
            await fetch_versions(db, "nobody-knows-it")


async def command(monkeypatch: pytest.MonkeyPatch, url: str, *words: str) -> int:
    monkeypatch.setenv("PARKING_DATABASE_URL", url)

    def run() -> int:
        with pytest.raises(SystemExit) as ended:
            main(["tariff", *words])
        return int(ended.value.code or 0)

    return await asyncio.to_thread(run)


async def test_the_command_publishes_all_or_none_and_leaves_an_audit_row(
    database_url: str,
    store: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(kerb(default_class="huge"))
    assert await command(monkeypatch, database_url, "import", "cn-bj-class1", str(wrong)) == 1
    said = capsys.readouterr()
    assert "default_class" in said.err
    assert "nothing is published" in said.err
    async with store.transaction() as db:
        assert [one.code for one in await list_notices(db)] == ["xinchang-kerb"]
    assert await command(monkeypatch, database_url, "import", "cn-bj-class1", "xinchang-kerb") == 0
    said = capsys.readouterr()
    assert "cn-bj-class1: published as version 1" in said.out
    assert "xinchang-kerb: published already as version 1" in said.out
    async with store.transaction() as db:
        rows = (await db.exec_driver_sql("SELECT actor, action, subject, after FROM audit")).all()
    assert [tuple(row) for row in rows] == [
        ("command", "tariff.published", "tariff:cn-bj-class1", {"version": 1}),
    ]
    assert await command(monkeypatch, database_url, "list") == 0
    assert "cn-bj-class1" in capsys.readouterr().out
