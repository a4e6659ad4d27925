"""``parking tariff preview`` over a real database: what was billed beside a draft, on screen, as JSON, on paper."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from billing.bills import bill_ended_sessions
from billing.decrees import decree
from billing.notices import read
from core.db import Database
from ops import preview as edge
from ops.cli import main
from tests.support.street import plant

pytestmark = pytest.mark.services

NINE = datetime(2026, 11, 2, 1, tzinfo=UTC)  # 09:00 in Xinchang, a Monday


@pytest.fixture
async def month(database_url: str) -> str:
    """300 stays of 75 minutes and 300 of 20, one a day and space, on 20 spaces; the last day's are not billed."""
    db = await asyncpg.connect(database_url)
    await plant(db, "s", 20)
    await db.execute(
        """
        INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, recorded_at,
                                     revised_at)
        SELECT space.id, sensor.id, 'ended', at, at + make_interval(mins => length), 'change', 'change', at, at
        FROM space JOIN sensor ON split_part(space.code, '-', 2) = split_part(sensor.code, '-', 2),
             generate_series(0, 14) AS day, (VALUES (75, 0), (20, 4)) AS kind (length, later),
             LATERAL (SELECT $1::timestamptz + make_interval(days => day, hours => later)) AS moment (at)
        """,
        NINE,
    )
    store = Database(database_url)
    async with store.transaction() as billing:
        await bill_ended_sessions(billing, at=NINE + timedelta(days=14), limit=10_000)
    await store.close()
    await db.close()
    return database_url


Preview = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def preview(month: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Preview:
    """Runs the command: exit status, stdout, stderr."""
    monkeypatch.setenv("PARKING_DATABASE_URL", month)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["tariff", "preview", *words])
        return int(ended.value.code or 0)

    async def previewed(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(run, *words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return previewed


async def figures(preview: Preview, *words: str) -> dict[str, Any]:
    code, out, err = await preview(*words, "--json")
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.fixture
def dearer(tmp_path: Path) -> str:
    """The kerb with 4 yuan an hour and 15 free minutes."""
    document = json.loads(read("xinchang-kerb"))
    document["plans"]["kerb"]["free"][0]["minutes"] = 15
    for band in document["plans"]["kerb"]["bands"]:
        for tier in band.get("tiers", ()):
            tier["price_fen"] = 400
    path = tmp_path / "draft.json"
    path.write_text(json.dumps(document))
    return str(path)


NOVEMBER = ("--from", "2026-11-01", "--to", "2026-12-01")


async def test_a_month_under_a_draft_is_told_as_json(preview: Preview, dearer: str) -> None:
    told = await figures(preview, dearer, *NOVEMBER)
    assert (told["total"]["stays"], told["unbilled"]) == (560, 40)
    assert told["total"]["billed_fen"] == 280 * 600
    assert told["total"]["draft_fen"] == 280 * 800 + 280 * 400
    assert told["by_hour"].keys() == {"09", "13"}
    assert told["by_hour"]["13"]["difference_fen"] == 280 * 400
    assert told["by_lot"].keys() == {"KL"}
    assert len(told["by_day"]) == 14


async def test_part_of_a_month_is_part_of_it_and_a_time_without_stays_says_so(preview: Preview, dearer: str) -> None:
    morning = await figures(preview, dearer, "--from", "2026-11-02", "--to", "2026-11-02T13:00")
    assert morning["total"]["stays"] == 20
    _, out, _ = await preview(dearer, "--from", "2025-01-01", "--to", "2025-02-01", "--lang", "en")
    assert "no stay of that time is billed" in out


async def test_the_notice_in_force_as_a_draft_changes_nothing(preview: Preview) -> None:
    total = (await figures(preview, "xinchang-kerb", *NOVEMBER))["total"]
    assert (total["difference_fen"], total["dearer"], total["cheaper"]) == (0, 0, 0)


async def test_several_processes_find_what_one_finds(
    preview: Preview, dearer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await figures(preview, dearer, *NOVEMBER)
    monkeypatch.setattr(edge, "STAYS_A_PART", 100)
    assert await figures(preview, dearer, *NOVEMBER) == alone


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize(("lang", "title"), [("zh", "收费方案试算"), ("en", "What a draft would change")])
async def test_the_report_has_charts_and_tables_and_loads_nothing(
    preview: Preview, dearer: str, tmp_path: Path, lang: str, title: str
) -> None:
    path = tmp_path / "report.html"
    code, out, err = await preview(dearer, *NOVEMBER, "--lang", lang, "--html", str(path))
    assert code == 0, err
    assert title in out
    assert "¥3,360.00" in out
    report = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(report)
    assert title in page.words
    assert "+¥1,680.00" in page.words
    assert (page.tags.count("svg"), page.loads) == (4, [])
    assert "http" not in report.replace("http://www.w3.org/2000/svg", "")


async def test_what_cannot_be_previewed_is_refused(preview: Preview, dearer: str) -> None:
    for words, says in (
        (("--lot", "XX"), "lot-not-found"),
        (("--from", "2026-12-01", "--to", "2026-11-01"), "is not before"),
        (("--from", "yesterday"), "is a day such as"),
    ):
        code, _, err = await preview(dearer, *words)
        assert code == 1
        assert says in err


async def test_days_that_are_free_by_decree_are_free_under_the_draft_too(
    preview: Preview, dearer: str, month: str
) -> None:
    first, store = NINE.date(), Database(month)
    async with store.transaction() as db:
        await decree(db, first, first, lot="KL", tariff=None, reason="a fair", actor="a test", at=NINE)
    await store.close()
    day = (await figures(preview, dearer, *NOVEMBER))["by_day"][str(first)]
    assert (day["billed_fen"] > 0, day["draft_fen"]) == (True, 0)
