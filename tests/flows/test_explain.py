"""A session walked from its bytes to its fen, also after a late reading has corrected it behind its bill."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.bills import bill_ended_sessions
from billing.explaining import SessionNotFoundError, explain, explanation_object, find_session, load_facts
from billing.phrases import Lang
from core.db import Database
from ops.cli import main
from tests.support.street import Street

pytestmark = pytest.mark.services

MINUTE = 60_000
NINE_MS = 1_773_104_400_000  # 09:00 on 10 March 2026 in Xinchang


async def bill(store: Database) -> None:
    """What the worker does."""
    async with store.transaction() as db:
        await bill_ended_sessions(db, at=datetime.now(UTC), limit=100)


async def told(store: Database, words: str, lang: Lang = "en") -> dict[str, Any]:
    async with store.transaction() as db:
        return explanation_object(explain(await load_facts(db, await find_session(db, words))), lang)


async def say(street: Street, *minutes: tuple[float, bool], count: int, kind: str = "change") -> None:
    """Readings of KL-001, so many minutes after nine, then wait until ``count`` are stored."""
    for minute, occupied in minutes:
        street.send("KL-001", occupied=occupied, at_ms=NINE_MS + int(minute * MINUTE), kind=kind)
    await street.until_readings(count)


def of(explanation: dict[str, Any]) -> tuple[Any, Any]:
    """How computing it again ended."""
    again = explanation["computed_again"]
    return again["session"]["outcome"], again["fee"]["outcome"]


async def test_a_stay_that_late_readings_cut_in_two_after_its_bill(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), (75, False), count=2)
    await bill(store)
    await say(street, (40, False), (60, True), count=4)
    await bill(store)
    corrected, new = [await told(store, row["id"].hex) for row in await street.sessions()]

    assert (corrected["session"]["revision"], corrected["session"]["left_at"]) == (2, "2026-03-10T01:40:00.000Z")
    assert [one["role"] for one in corrected["readings"]] == ["begins", "ends", "after", "after"]
    _, ends, _, _ = corrected["readings"]
    assert "after the bill for revision 1" in ends["late"]
    assert json.loads(ends["raw"])["occupied"] is False
    assert bytes.fromhex(ends["raw_hex"]).decode() == ends["raw"]
    assert ends["topic"].startswith("parking/test/")

    first, second = corrected["bills"]
    assert (first["total_fen"], first["session_revision"], first["is_current"]) == (600, 1, False)
    assert (second["total_fen"], second["session_revision"], second["is_current"]) == (300, 2, True)
    assert (first["left_at"], second["left_at"]) == ("2026-03-10T02:15:00.000Z", "2026-03-10T01:40:00.000Z")
    assert second["replaces_id"] == first["id"]
    assert sum(line["amount_fen"] for line in corrected["fee"]["lines"]) == corrected["fee"]["total_fen"] == 300
    assert (corrected["notice"]["code"], corrected["notice"]["version"]) == ("xinchang-kerb", 1)
    assert (corrected["plates"], corrected["payments"]) == ([], [])
    posted = [(one["kind"], one["account"], one["debit_fen"], one["credit_fen"]) for one in corrected["journal"]]
    assert posted == [
        ("charge", "receivable:stay", 600, 0),
        ("charge", "revenue:parking:KL", 0, 600),
        ("charge", "receivable:stay", 0, 300),
        ("charge", "revenue:parking:KL", 300, 0),
    ]
    assert of(corrected) == ("equal", "equal")

    assert [one["role"] for one in new["readings"]] == ["before", "before", "begins", "ends"]
    assert len(new["bills"]) == 1
    assert of(new) == ("equal", "equal")


async def test_an_ordinary_stay_is_explained_in_both_languages(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), (75, False), count=2)
    await bill(store)
    english, chinese = await told(store, "KL-001"), await told(store, "KL-001", "zh")
    assert english["begins"]["why"] == "the sensor reported the arrival itself"
    assert english["fee"]["total_fen"] == 600
    assert english["computed_again"]["fee"]["text"] == "computed again now: equal"
    assert chinese["begins"]["why"] == "传感器上报了驶入"
    assert chinese["ends"]["why"] == "传感器上报了驶离"
    assert [line["amount_fen"] for line in english["fee"]["lines"]] == [
        line["amount_fen"] for line in chinese["fee"]["lines"]
    ]
    assert of(english) == ("equal", "equal")


async def test_short_gaps_that_were_closed_are_named(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), (30, False), (30.2, True), (60, False), count=4)
    await bill(store)
    explanation = await told(store, "KL-001")
    assert explanation["closed_gaps"] == [
        {"from": "2026-03-10T01:30:00.000Z", "to": "2026-03-10T01:30:12.000Z", "seconds": 12.0}
    ]
    assert [one["role"] for one in explanation["readings"]] == ["begins", "in-gap", "inside", "ends"]
    assert of(explanation) == ("equal", "equal")


async def test_lost_changes_say_what_dates_the_stay_instead(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), (20, True), count=2, kind="heartbeat")
    await say(street, (90, False), count=3, kind="heartbeat")
    await bill(store)
    explanation = await told(store, "KL-001")
    assert (explanation["begins"]["code"], explanation["ends"]["code"]) == ("heartbeat", "last_occupied")
    assert explanation["session"]["left_at"] == "2026-03-10T01:20:00.000Z"
    assert [one["role"] for one in explanation["readings"]] == ["begins", "ends", "after"]
    assert of(explanation) == ("equal", "equal")


async def test_open_and_void_sessions_compute_again_too(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), count=1)
    explanation = await told(store, "KL-001")
    assert explanation["session"]["status"] == "open"
    assert of(explanation) == ("equal", "not-yet")
    await say(street, (40, True), count=2)
    void = next(one for one in await street.sessions(with_void=True) if one["status"] == "void")
    assert of(await told(store, str(void["id"])))[0] == "equal"


async def test_what_no_longer_computes_is_shown_as_different(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), (75, False), count=2)
    await bill(store)
    await street.db.execute("UPDATE parking_session SET left_at = left_at + interval '1 hour'")
    explanation = await told(store, "KL-001")
    assert of(explanation) == ("different", "different")
    assert "900 fen" in explanation["computed_again"]["fee"]["text"]
    await street.db.execute("DELETE FROM reading")
    assert of(await told(store, "KL-001"))[0] == "not-kept"


async def test_it_is_folded_again_by_the_rules_of_its_time(street: Street, store: Database) -> None:
    await street.start_ingest()
    await say(street, (0, True), (30, False), (31, True), (75, False), count=4)
    await bill(store)
    first, second = [row["id"].hex for row in await street.sessions()]
    limits = {"min_stay_seconds": 20, "min_gap_seconds": 20, "silent_after_seconds": 10_800}
    assert (await told(store, first))["limits"] == limits
    await street.db.execute("UPDATE lot SET min_gap_seconds = 300, min_stay_seconds = 3000")
    await street.db.execute("UPDATE lot SET min_gap_seconds = 600")
    await street.db.execute("UPDATE sensor SET heartbeat_seconds = 60")
    for session in (first, second):
        explanation = await told(store, session)
        assert explanation["limits"] == limits
        assert of(explanation) == ("equal", "equal")
    await street.db.execute("UPDATE parking_session SET revised_at = clock_timestamp()")
    assert (await told(store, first))["limits"] == {
        "min_stay_seconds": 3_000,
        "min_gap_seconds": 600,
        "silent_after_seconds": 180,
    }


async def test_whoever_is_not_there_is_not_explained(street: Street, store: Database) -> None:
    for words in ("KL-001", "nowhere", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(SessionNotFoundError):
            await told(store, words)


Command = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def command(street: Street, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``parking explain``: exit status and stdout."""
    monkeypatch.setenv("PARKING_DATABASE_URL", street.database_url)
    monkeypatch.setenv("COLUMNS", "150")

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["explain", *words])
        return int(ended.value.code or 0)

    async def explained(*words: str) -> tuple[int, str]:
        return await asyncio.to_thread(run, *words), capsys.readouterr().out

    return explained


async def test_the_command_prints_the_whole_chain(street: Street, store: Database, command: Command) -> None:
    await street.start_ingest()
    await say(street, (0, True), count=1)
    await say(street, *((5 + 10 * n, True) for n in range(6)), count=7, kind="heartbeat")
    await say(street, (75, False), count=8)
    await bill(store)
    code, page = await command("KL-001", "--lang", "en")
    assert code == 0, page
    for words in (
        "the sensor reported the arrival itself",
        "4 more that say the same",
        '"occupied": true',
        "8 readings, 8 decode to the same again",
        "up to 30 min free",
        "¥6.00",
        "none recorded",
        "computed again now: equal",
    ):
        assert words in page, words
    assert (await command("KL-001", "--lang", "zh", "--all"))[1].count('"occupied"') == 8
    code, out = await command("KL-001", "--json")
    assert json.loads(out)["session"]["space_code"] == "KL-001"
    await street.db.execute("UPDATE parking_session SET left_at = left_at + interval '1 hour'")
    code, page = await command("KL-001", "--lang", "en")
    assert code == 1
    assert "DIFFERENT" in page
