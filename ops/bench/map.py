"""``parking bench map``: how many readers of the map one api serves, beside constant bytes of the same size.

The limit is a FastAPI route that returns as many constant bytes, in a process of its own, served with the same
settings and asked in turn with ours by the same client. Where two cores are shared with others, compare the CPU.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from core.errors import UnavailableError
from ops.bench.ingest import Show
from ops.bench.report import Report, Row
from ops.bench.serving import Served, api_process, constant_process
from ops.bench.surroundings import Surroundings

PATHS: Final = ("/api/v1/spaces/state", "/api/v1/lots")
GZIP: Final = "Accept-Encoding: gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPlan:
    """How long, and how hard."""

    connections: int = 32
    seconds: float = 4.0
    """A round."""
    rounds: int = 3
    """The fastest counts, of ours and of the limit alike; they take turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one round found."""

    per_second: float
    cpu_us: float
    """Of the server, a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One way to ask for an answer."""

    what: str
    path: str
    headers: tuple[str, ...]
    size: int
    """Bytes of its body."""


async def bench_map(at: Surroundings, plan: MapPlan, show: Show) -> Report:
    """Each answer plain, compressed and unchanged, over the demo city."""
    report = Report(bench="map")
    show("importing the demo city")
    async with at.demo_city() as url, api_process(url, at.state.logs / "bench-api.log") as api:
        questions = await _questions(api.url)
        sizes = [question.size for question in questions]
        async with constant_process(sizes, at.state.logs / "bench-constant.log") as constant:
            for question in questions:
                ours, limit = await _compared(api, constant, question, plan, show)
                for row in _rows(question, ours, limit):
                    report.add(row)
    return report


async def _questions(url: str) -> list[Question]:
    questions = []
    async with httpx.AsyncClient(base_url=url) as client:
        for path in PATHS:
            name = path.removeprefix("/api/v1")
            plain = await client.get(path, headers={"Accept-Encoding": "identity"})
            questions.append(Question(what=name, path=path, headers=(), size=len(plain.content)))
            packed = int((await client.get(path, headers={"Accept-Encoding": "gzip"})).headers["content-length"])
            questions.append(Question(what=f"{name}, gzip", path=path, headers=(GZIP,), size=packed))
            known = (f"If-None-Match: {plain.headers['etag']}",)
            questions.append(Question(what=f"{name}, unchanged", path=path, headers=known, size=0))
    return questions


async def _compared(api: Served, constant: Served, question: Question, plan: MapPlan, show: Show) -> tuple[Rate, Rate]:
    """The fastest round of each; they take turns, so that both meet the machine in the same mood."""
    ours: list[Rate] = []
    limits: list[Rate] = []
    for number in range(1, plan.rounds + 1):
        show(f"{question.what}, round {number}", number, plan.rounds)
        ours.append(await _asked(api, question.path, question.headers, plan))
        limits.append(await _asked(constant, f"/{question.size}", (), plan))
    return max(ours, key=lambda rate: rate.per_second), max(limits, key=lambda rate: rate.per_second)


async def _asked(served: Served, path: str, headers: Sequence[str], plan: MapPlan) -> Rate:
    before = served.cpu_seconds
    arguments = [f"{served.url}{path}", str(plan.connections), str(plan.seconds), *headers]
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ops.bench.requests", *arguments, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await program.communicate()
    found = json.loads(told)
    if found["failed"] or found["status"] not in {"200", "304"}:
        raise UnavailableError(f"{path} answers {found['status']}, {found['failed']} connections were cut")
    warm = (found["seconds"] + min(0.5, plan.seconds / 4)) / found["seconds"]  # those before the count cost CPU, too
    return Rate(
        per_second=found["per_second"],
        cpu_us=1e6 * (served.cpu_seconds - before) / max(1.0, found["answers"] * warm),
    )


def _rows(question: Question, ours: Rate, limit: Rate) -> tuple[Row, Row]:
    size = f"{question.size:,} B" if question.size else "304"
    rate = Row(
        what=f"{question.what} ({size})",
        value=ours.per_second,
        unit="requests/s",
        ratio=ours.per_second / limit.per_second,
        against="constant bytes",
        at_least=0.8,
        note=f"the limit: {limit.per_second:,.0f}",
    )
    cpu = Row(
        what="  CPU of the process",
        value=ours.cpu_us,
        unit="µs each",
        ratio=ours.cpu_us / limit.cpu_us if limit.cpu_us else None,
        against="constant bytes",
        note=f"the limit: {limit.cpu_us:,.0f} µs",
    )
    return rate, cpu
