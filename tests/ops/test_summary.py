"""What a demo tells at its end: every way of paying by name, and whom chaos killed."""

import dataclasses
from io import StringIO

import pytest
from rich.console import Console

from core.db import Database
from core.money import Fen
from ops.summary import Paid, Summary, fetch_summary, summary_table

STATUS = {"published": 1_010, "repeated": 10, "late": 5, "lost": 0, "stays_begun": 70, "stays_ended": 40}


@pytest.mark.services
async def test_a_run_in_which_nothing_happened_is_told_as_such(database_url: str) -> None:
    database = Database(database_url)
    async with database.transaction() as db:
        found = await fetch_summary(db, {})
    await database.close()
    assert (found.readings, found.bills, found.billed_fen, found.arrears_fen, found.paid) == (0, 0, 0, 0, ())
    told = printed(found, killed=None)
    assert "kill -9" not in told
    assert "¥0.00" in told


@pytest.mark.services
async def test_it_tells_what_was_sent_paid_and_killed(database_url: str) -> None:
    database = Database(database_url)
    async with database.transaction() as db:
        nothing = await fetch_summary(db, STATUS)
    await database.close()
    paid = Paid(channel="wechat_native", at_kiosk=True, payments=3, received_fen=Fen(1_500))
    told = printed(dataclasses.replace(nothing, paid=(paid,)), killed={"worker": 2, "api": 1})
    assert "1,010" in told
    assert "10, 5, 0" in told
    assert "paid 3 times by WeChat Pay, code, at a kiosk" in told
    assert "¥15.00" in told
    assert told.index("api") < told.index("worker")


def printed(summary: Summary, *, killed: dict[str, int] | None) -> str:
    """As a terminal shows it."""
    paper = StringIO()
    Console(file=paper, width=120).print(summary_table(summary, killed=killed))
    return paper.getvalue()
