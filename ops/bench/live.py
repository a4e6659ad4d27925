"""``parking bench live``: thousands of viewers on one api, each change set timed from its commit to the last of them.

The limit is a stream that sends a constant frame of the same size to as many viewers once a second.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import asyncpg

from core.db import plain_url
from core.errors import UnavailableError
from ops.bench.ingest import Show
from ops.bench.report import Report, Row
from ops.bench.serving import Served, api_process, constant_process
from ops.bench.surroundings import Surroundings

WITHIN_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 3.0
CHANGE: Final = """
UPDATE space_state SET occupancy = (CASE occupancy WHEN 'free' THEN 'occupied' ELSE 'free' END)::occupancy,
    changed_at = now(), last_heard_at = now(), written_xid = pg_current_xact_id()::text::bigint
WHERE space_id = ANY($1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePlan:
    """How many look on, how much happens."""

    viewers: int = 5_000
    seconds: int = 20
    changes: int = 100
    """Spaces that change each second, in one commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the viewers of one server saw, and what it cost."""

    frames: dict[int, dict[str, Any]]
    cpu_seconds: float
    """Of the server, each second."""
    more_bytes: int
    """Memory that the server has taken since the first viewer came."""


@dataclass(slots=True, kw_only=True)
class Street:
    """Spaces that change, and when they did."""

    places: list[int]
    """Database ids in the order of ``/spaces``."""
    commits: dict[int, float] = field(default_factory=dict)
    """The place each commit begins with, and when it was committed, epoch milliseconds."""

    async def change(self, db: asyncpg.Connection, first: int, number: int) -> None:
        """One commit, as ingest makes it."""
        async with db.transaction():
            await db.execute(CHANGE, self.places[first : first + number])
            await db.execute("SELECT pg_notify('parking_state', '')")
        self.commits[first] = time.time() * 1_000


async def bench_live(at: Surroundings, plan: LivePlan, show: Show) -> Report:
    """Ours, then the limit, with as many viewers."""
    report = Report(bench="live")
    show("importing the demo city")
    async with at.demo_city() as url, api_process(url, at.state.logs / "bench-api.log") as api:
        db = await asyncpg.connect(plain_url(url))
        street = Street(places=[row["id"] for row in await db.fetch("SELECT id FROM space ORDER BY id")])
        ours = await _watched(api, "/api/v1/live", plan, show, db=db, street=street)
        await db.close()
    delays, everybody = _delays(ours, street, plan)
    if not delays:
        raise UnavailableError("no change set came: see the api's log")
    size = int(median(len(json.dumps(frame["body"])) for frame in ours.frames.values()))
    async with constant_process([size], at.state.logs / "bench-constant.log") as constant:
        limit = await _watched(constant, "/stream", plan, show)
    spread = sorted(frame["last_ms"] - frame["first_ms"] for frame in ours.frames.values())
    spread_limit = sorted(frame["last_ms"] - frame["first_ms"] for frame in limit.frames.values())
    rows = (
        Row(what=f"viewers with every change set, of {plan.viewers:,}", value=100 * everybody, unit="%", at_least=100),
        Row(what="commit to the last viewer, median", value=median(delays) / 1_000, unit="s"),
        Row(
            what="commit to the last viewer, worst",
            value=max(delays) / 1_000,
            unit="s",
            at_most=WITHIN_SECONDS,
            note=f"a constant frame: {_worst_of(limit):.1f} s",
        ),
        Row(
            what="first to last viewer, median",
            value=median(spread),
            unit="ms",
            ratio=median(spread) / max(1.0, median(spread_limit)),
            against="constant frames",
        ),
        Row(
            what="CPU of the process",
            value=100 * ours.cpu_seconds,
            unit="% of a core",
            ratio=ours.cpu_seconds / max(1e-3, limit.cpu_seconds),
            against="constant frames",
            note=f"{plan.changes} spaces a second in {size:,} B",
        ),
        Row(what="memory a viewer", value=ours.more_bytes / plan.viewers / 1_000, unit="kB"),
    )
    report.rows.extend(rows)
    return report


async def _watched(
    served: Served,
    path: str,
    plan: LivePlan,
    show: Show,
    *,
    db: asyncpg.Connection | None = None,
    street: Street | None = None,
) -> Watched:
    """Let viewers come, let things happen for a while, and hear what they saw."""
    show(f"{plan.viewers:,} viewers come to {path}")
    memory = served.process.memory_info().rss
    async with _viewers(f"{served.url}{path}", plan.viewers) as program:
        await asyncio.sleep(SETTLE_SECONDS)
        before, began = served.cpu_seconds, time.monotonic()
        for number in range(plan.seconds):
            show(f"watching {path}", number, plan.seconds)
            if db is not None and street is not None:
                await street.change(db, number * plan.changes % (len(street.places) - plan.changes), plan.changes)
            await asyncio.sleep(max(0.0, began + number + 1 - time.monotonic()))
        used, passed = served.cpu_seconds - before, time.monotonic() - began
        more = served.process.memory_info().rss - memory
        await asyncio.sleep(WITHIN_SECONDS)
        told, _ = await program.communicate(b"stop\n")
    frames = {int(version): frame for version, frame in json.loads(told).items()}
    return Watched(frames=frames, cpu_seconds=used / passed, more_bytes=more)


@asynccontextmanager
async def _viewers(url: str, number: int) -> AsyncIterator[Process]:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ops.bench.viewers", url, str(number), stdin=PIPE, stdout=PIPE, limit=1 << 26
    )
    try:
        assert program.stdout is not None  # noqa: S101 - a pipe was asked for
        if await program.stdout.readline() != b"ready\n":
            raise UnavailableError(f"{number} viewers could not be opened; is the limit of open files too low?")
        yield program
    finally:
        if program.returncode is None:
            program.kill()
        await program.wait()


def _delays(ours: Watched, street: Street, plan: LivePlan) -> tuple[list[float], float]:
    """Milliseconds from each commit to its last viewer, and the share of viewers that every change set reached."""
    delays: list[float] = []
    reached: list[float] = []
    for first, committed_ms in street.commits.items():
        changed = range(first, first + plan.changes)
        frames = [frame for frame in ours.frames.values() if _tells(frame["body"], changed)]
        reached.append(max((frame["viewers"] / plan.viewers for frame in frames), default=0.0))
        after = [frame["last_ms"] - committed_ms for frame in frames]
        delays += [delay for delay in after if delay > 0]
    return delays, min(reached, default=0.0)


def _worst_of(limit: Watched) -> float:
    """Seconds from when a constant frame was made to the last viewer, at worst: what this machine does to anybody."""
    return max((frame["last_ms"] - frame["body"]["at_ms"] for frame in limit.frames.values()), default=0.0) / 1_000


def _tells(body: dict[str, Any], changed: range) -> bool:
    """Whether a frame is of these places; one that is out of use shows no change, so any of them will do."""
    return any(place in changed for places in body.get("changes", {}).values() for place in places)
