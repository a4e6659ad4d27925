"""A comparison from end to end: the file, the database, and patience while both processes catch up."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from core.clock import instant
from core.db import Database
from core.errors import InvalidError
from core.wire import parse_instant
from ops.verify.compare import compare
from ops.verify.money import People, compare_money
from ops.verify.report import Report, Why
from ops.verify.stored import count_readings, fetch_readings, fetch_sessions, fetch_watched
from ops.verify.truth import Truth, load_truth
from simulator.drivers.told import PaymentLine, read_payments, whose_drivers

_PAUSE_SECONDS = 2.0
_BREATHS = 4
"""Rest this many times as long as the last look took, so that looking does not slow down what is waited for."""


class TruthOfAnotherCityError(InvalidError):
    """The truth speaks of spaces, sensors or an installation that this is not. Carries ``what``."""

    slug = "truth-of-another-city"


async def verify(
    database_url: str,
    path: Path,
    *,
    installation: str = "",
    people: People | None = None,
    wait_seconds: float = 0.0,
    progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Compare until everything is equal or the patience is over; the last report, with every reading looked at.

    The instant up to which is compared is that of the file's last checkpoint at the beginning, so a simulator that
    goes on meanwhile does not matter.

    Args:
        database_url: the installation's database.
        path: the truth file.
        installation: this installation's name; the truth of one with another name is refused. Empty: not compared.
        people: where they tell what they paid; None: payments are not compared.
        wait_seconds: real seconds for ingest and billing to catch up.
        progress: told each look's report.

    Raises:
        TruthOfAnotherCityError: the truth is not about this installation.
        InvalidError: the file is no truth file, or nothing in it is settled yet.
    """
    truth = load_truth(path)
    _refuse_another_installation(path, truth.header.installation, installation)
    if people is not None:
        _refuse_another_installation(people.drivers, whose_drivers(people.drivers), installation)
    paid = {} if people is None else read_payments(people.drivers)
    database = Database(database_url, pool_size=1, application="parking-verify")
    deadline = time.monotonic() + wait_seconds
    try:
        async with database.transaction() as db:
            await _refuse_another_city(db, truth, path)
        before: tuple[int, int] | None = None
        while True:
            began = time.monotonic()
            async with database.transaction() as db:
                report = compare(truth, await fetch_sessions(db, truth), await count_readings(db, truth))
                report = await _with_money(db, report, people, paid)
            progress(report)
            pause = max(_PAUSE_SECONDS, _BREATHS * (time.monotonic() - began))
            told = (report.equal, len(report.differences))
            if report.is_equal or _is_settled(report, told == before) or time.monotonic() + pause > deadline:
                break
            before = told
            await asyncio.sleep(pause)
        async with database.transaction() as db:
            report = compare(truth, await fetch_sessions(db, truth), await fetch_readings(db, truth))
            report = await _with_money(db, report, people, paid)
        progress(report)
        return report
    finally:
        await database.close()


def _is_settled(report: Report, is_as_before: bool) -> bool:
    """Whether waiting changes nothing any more: all that differs is what faults kept from being said."""
    return is_as_before and report.is_explained and not report.counts().get(Why.NOT_BILLED)


async def _with_money(
    db: AsyncConnection, report: Report, people: People | None, paid: Mapping[str, PaymentLine]
) -> Report:
    """The report, and what people paid."""
    if people is None:
        return report
    payments, found = await compare_money(db, people, paid, now=instant(parse_instant(report.until)))
    differences = (*report.differences, *found)
    return replace(report, payments=payments, differences=differences, unexplained=report.unexplained + len(found))


def _refuse_another_installation(path: Path, told: str, here: str) -> None:
    if here and told not in {"", here}:
        raise TruthOfAnotherCityError(
            f"{path} is the truth of another installation ({told}; this is {here}): "
            "name the state folder it was written beside (--state DIR), or simulate this one into a file of its own",
            what="installation",
        )


async def _refuse_another_city(db: AsyncConnection, truth: Truth, path: Path) -> None:
    here = await fetch_watched(db, truth)
    strange = [space for space, sensor in truth.sensors.items() if here.get(space) != sensor]
    if strange:
        space = strange[0]
        what = f"watched by {here[space]}" if space in here else "not here"
        raise TruthOfAnotherCityError(
            f"{path} is the truth of another city ({truth.header.city}): {len(strange)} of its {len(truth.sensors)} "
            f"spaces have another sensor here or none, such as {space} (there {truth.sensors[space]}, {what})",
            what="city",
        )
