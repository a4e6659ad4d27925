"""The whole of a hostile night: a little honest trade, then everything that somebody might try, then the books."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import httpx

from core.db import Database
from ops.bench.hostile.asking import Attempt, Route, money_routes, odd_attempt
from ops.bench.hostile.notices import Caught, Forger, catching
from ops.bench.report import Report, Row
from ops.bench.rough_day.drivers import People
from ops.bench.rough_day.judging import Verdict, judge, settle_everything
from ops.bench.rough_day.plan import CHANNELS, RoughDay
from ops.bench.rough_day.processes import Crew, crew
from ops.bench.rough_day.stays import plant_stays

Show = Callable[..., None]
HONEST: Final = 24
"""Stays: half of them are paid, and what the gateway tells of it is caught; the others are begun and never paid."""
COMES_AGAIN: Final = frozenset({500, 503})
"""What a provider is told so that it sends again: what nobody can read now, or who is asked has no answer."""
ALARMS: Final = re.compile(r'"event": ?"(notification\.[a-z_]+|[a-z]+\.failed|request\.failed[a-z_]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileNight:
    """How much of it."""

    requests: int = 10_000
    seed: int = 1
    at_once: int = 24


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was answered."""

    by_kind: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Answers that no request should ever get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a night came to."""

    verdict: Verdict
    faults: Sequence[str]
    report: Report


async def run_hostile_night(database_url: str, folder: Path, plan: HostileNight, show: Show) -> Outcome:
    """One night over a database that holds a city and nothing else; see ``run_rough_day``."""
    database, caught = Database(database_url, pool_size=10, application="bench-hostile"), list[Caught]()
    try:
        sessions = await plant_stays(database, RoughDay(payments=HONEST, seed=plan.seed))
        async with catching(caught) as ear, crew(database_url, folder, told_at=ear) as works:
            people = People(crew=works, database=database)
            ids = await _trade(people, sessions, caught)
            show(f"seed {plan.seed}: asking", 0, plan.requests)
            seen = await _try_everything(people, ids, caught, plan, show)
            show(f"seed {plan.seed}: letting it come to its end")
            await settle_everything(works, database)
            verdict = await judge(works, database)
            return Outcome(verdict=verdict, faults=seen.faults, report=_told(plan, works, seen, verdict))
    finally:
        await database.close()


async def _trade(people: People, sessions: list[UUID], caught: list[Caught]) -> list[str]:
    """Honest drivers; ids that mean something here."""
    ids = [str(session_id) for session_id in sessions]
    wanted = 0
    for number, session_id in enumerate(sessions):
        payment = await people.begin(session_id, CHANNELS[number % 4 // 2], uuid4().hex, f"198.18.0.{number + 1}")
        if payment is None:
            continue
        ids.append(payment["id"])
        if number % 2:
            await people.pay(payment, 0)
            wanted += 1
    for _ in range(100):
        if len({(one.provider, one.body) for one in caught}) >= wanted:
            break
        await asyncio.sleep(0.1)
    return ids


async def _try_everything(people: People, ids: list[str], caught: list[Caught], plan: HostileNight, show: Show) -> Seen:
    works, seen = people.crew, Seen()
    openapi: dict[str, Any] = (await works.http.get(f"{works.api_url}/openapi.json")).json()
    routes, dice = money_routes(openapi), Random(f"{plan.seed} hostile")  # noqa: S311 - the same night every time
    operator = await people.operator()
    forger = Forger(dice, caught)
    gate, done = asyncio.Semaphore(plan.at_once), 0

    async def one(attempt: Attempt, client: httpx.AsyncClient, number: int) -> None:
        nonlocal done
        async with gate:
            await _ask(client, works, attempt, number, seen)
            done += 1
            show(f"seed {plan.seed}: {len(seen.faults)} faults", done, plan.requests)

    async with asyncio.TaskGroup() as tasks:
        for number in range(plan.requests):
            attempt = _next(dice, forger, routes, ids)
            client = operator if "/operator/" in attempt.path and dice.random() < 0.7 else works.http  # noqa: PLR2004
            tasks.create_task(one(attempt, client, number))
    await operator.aclose()
    return seen


def _next(dice: Random, forger: Forger, routes: Sequence[Route], ids: Sequence[str]) -> Attempt:
    return forger.attempt() if dice.random() < 0.5 else odd_attempt(dice, routes, ids)  # noqa: PLR2004 - half


async def _ask(client: httpx.AsyncClient, works: Crew, attempt: Attempt, number: int, seen: Seen) -> None:
    headers = [
        *attempt.headers,
        (b"x-forwarded-for", f"198.{18 + number % 2}.{number // 500 % 250}.{number % 250}".encode()),
    ]
    url = httpx.URL(f"{works.api_url}{attempt.path}")
    try:
        answer = await client.request(attempt.method, url, headers=headers, content=attempt.body)
    except httpx.LocalProtocolError:
        seen.by_kind["not sayable in HTTP", 0] += 1
        return
    except httpx.HTTPError as error:
        seen.faults.append(f"{attempt.method} {attempt.path}: {error!r}")
        return
    seen.by_kind[attempt.kind, answer.status_code] += 1
    if what := fault_of(answer, is_notification="/notify/" in attempt.path):
        seen.faults.append(f"{attempt.kind}, {attempt.method} {attempt.path}: {what}, asked {attempt.body[:120]!r}")


def fault_of(answer: httpx.Response, *, is_notification: bool) -> str:
    """What is wrong with an answer; empty: nothing."""
    status = answer.status_code
    if status < HTTPStatus.BAD_REQUEST:
        return ""
    problem = _problem(answer)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        asked_again = is_notification and status in COMES_AGAIN and problem.get("type") != "/problems/internal"
        unavailable = status == HTTPStatus.SERVICE_UNAVAILABLE and "type" in problem
        return "" if asked_again or unavailable else f"{status} {answer.text[:200]}"
    if is_notification and answer.headers.get("content-type", "").startswith("text/"):
        return ""  # in the provider's own words
    return "" if {"type", "title", "status"} <= problem.keys() else f"{status} without a problem: {answer.text[:200]}"


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(plan: HostileNight, works: Crew, seen: Seen, verdict: Verdict) -> Report:
    report = Report(bench=f"hostile night, seed {plan.seed}")
    report.add(Row(what="requests", value=seen.by_kind.total(), unit=""))
    for (kind, status), times in sorted(seen.by_kind.items()):
        report.add(Row(what=f"  {kind}", value=times, unit=f"x {status}"))
    alarms = Counter(ALARMS.findall(works.api.log.read_text(errors="replace")))
    for event, times in sorted(alarms.items()):
        report.add(Row(what=f"alarm {event}", value=times, unit="times"))
    report.add(Row(what="answers that are faults", value=len(seen.faults), unit="", at_most=0))
    for words in seen.faults[:20]:
        report.add(Row(what="fault", value=1, unit="", at_most=0, note=words[:300]))
    report.add(Row(what="received", value=verdict.totals.received_fen, unit="fen", note="by the honest drivers alone"))
    report.add(Row(what="invariants that hold", value=verdict.proved, unit="of 12", at_least=12))
    for words in verdict.broken:
        report.add(Row(what="broken", value=1, unit="", at_most=0, note=words))
    return report
