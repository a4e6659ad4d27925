"""The whole of a rough day, from the first driver to the last fen."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

import httpx

from core.db import Database
from ops.bench.report import Report, Row
from ops.bench.rough_day.drivers import People
from ops.bench.rough_day.judging import Verdict, judge, settle_everything
from ops.bench.rough_day.plan import SCRIPT, RoughDay, habit_of
from ops.bench.rough_day.processes import Crew, crew
from ops.bench.rough_day.stays import befall, plant_stays

Show = Callable[..., None]
STEPS_WITH_FAULTS: Final = 6
"""Orders run out, are closed and asked about, and money goes back while the gateway still misbehaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a day came to."""

    verdict: Verdict
    report: Report


async def run_rough_day(database_url: str, folder: Path, plan: RoughDay, show: Show) -> Outcome:
    """One day over a database that holds a city and nothing else.

    Args:
        database_url: of it.
        folder: for the gateway's money and the processes' logs.
        plan: how much, and by which dice.
        show: told what goes on: words, how many are done, of how many.
    """
    database = Database(database_url, pool_size=20, application="bench-rough-day")
    try:
        show(f"seed {plan.seed}: parking {plan.stays} vehicles")
        sessions = await plant_stays(database, plan)
        async with crew(database_url, folder) as works:
            people = People(crew=works, database=database)
            report = Report(bench=f"rough day, seed {plan.seed}")
            await _live_through(people, sessions, plan, show)
            show(f"seed {plan.seed}: letting it come to its end")
            await settle_everything(works, database, steps=STEPS_WITH_FAULTS)
            met = await _end_faults(works)
            await settle_everything(works, database, after=STEPS_WITH_FAULTS)
            show(f"seed {plan.seed}: proving")
            verdict = await judge(works, database)
            _tell(report, people, met, verdict)
            return Outcome(verdict=verdict, report=report)
    finally:
        await database.close()


async def _live_through(people: People, sessions: list[UUID], plan: RoughDay, show: Show) -> None:
    """Drivers, faults and kills."""
    works = people.crew
    script = {"rules": list(SCRIPT), "seed": plan.seed, "refund_seconds": 0}
    (await works.http.put(f"{works.gateway_url}/control/script", json=script)).raise_for_status()
    browser = await people.operator()
    is_over = asyncio.Event()
    dice = Random(f"{plan.seed} kills")  # noqa: S311 - no secret
    killing = asyncio.create_task(works.kill_now_and_then(dice, plan.kill_after, is_over))
    gate, done = asyncio.Semaphore(plan.at_once), 0

    async def one(number: int, session_id: UUID) -> None:
        nonlocal done
        async with gate:
            await _live(people, browser, session_id, number, plan)
            done += 1
            show(f"seed {plan.seed}: {len(people.begun)} payments, {_kills(works)} kills", done, plan.stays)

    try:
        async with asyncio.TaskGroup() as tasks:
            for number, session_id in enumerate(sessions):
                tasks.create_task(one(number, session_id))
    finally:
        is_over.set()
        await killing
        await browser.aclose()


async def _end_faults(works: Crew) -> Counter[str]:
    """No more of them; those that the gateway made, whichever provider it was then."""
    met = (await works.http.get(f"{works.gateway_url}/control/script")).json()["met"]
    (await works.http.delete(f"{works.gateway_url}/control/script")).raise_for_status()
    counted: Counter[str] = Counter()
    for name, times in met.items():
        counted[name.partition(".")[2]] += times
    return counted


async def _live(people: People, browser: httpx.AsyncClient, session_id: UUID, number: int, plan: RoughDay) -> None:
    habit, dice = habit_of(plan.seed, number), Random(f"{plan.seed} {number} pauses")  # noqa: S311 - no secret
    await people.drive(session_id, number, habit, dice)
    if habit.fate != "as-billed":
        async with people.database.transaction() as db:
            await befall(db, session_id, habit.fate)
        people.seen[f"stays that turned out {habit.fate}"] += 1
    if habit.given_back_fen:
        await people.give_back(session_id, habit.given_back_fen, browser)


def _kills(works: Crew) -> int:
    return works.api.kills + works.worker.kills


def _tell(report: Report, people: People, met: Counter[str], verdict: Verdict) -> None:
    report.add(Row(what="payments begun", value=len(people.begun), unit=""))
    for what, times in sorted(people.seen.items()):
        limit = 0 if what == "answers of 500" or what.startswith("could not") else None
        report.add(Row(what=f"  {what}", value=times, unit="", at_most=limit))
    report.add(Row(what="api killed", value=people.crew.api.kills, unit="times"))
    report.add(Row(what="worker killed", value=people.crew.worker.kills, unit="times"))
    for what, times in sorted(met.items()):
        report.add(Row(what=f"gateway: {what}", value=times, unit="times"))
    totals = verdict.totals
    report.add(Row(what="received", value=totals.received_fen, unit="fen", note="by payments"))
    for what, fen in (
        ("settled", totals.settled_fen),
        ("part-paid", totals.part_paid_fen),
        ("in suspense", totals.suspense_fen),
        ("refunded", totals.refunded_fen),
        ("waiting to go back", totals.overpaid_fen + totals.on_its_way_fen),
    ):
        report.add(Row(what=f"  {what}", value=fen, unit="fen"))
    lost = totals.received_fen - totals.found_fen
    report.add(Row(what="  nowhere, or in two places", value=abs(lost), unit="fen", at_most=0))
    report.add(Row(what="invariants that hold", value=verdict.proved, unit="of 12", at_least=12))
    for words in verdict.broken:
        report.add(Row(what="broken", value=1, unit="", at_most=0, note=words))
