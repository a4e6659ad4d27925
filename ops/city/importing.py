"""The import of a city file, from its bytes to the commit that wakes every process."""

from collections.abc import Collection
from datetime import datetime
from time import monotonic
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from billing import notices
from billing.publishing import publish
from core.city import Problem, parse_city
from core.db import Database
from core.errors import InvalidError
from core.tables import Tariff
from ingest.vendors import CODECS
from ops.city import places, sensors
from ops.city.links import link_lots, link_spaces
from ops.city.report import ImportJob, ImportReport, Progress, no_progress

_ONE_AT_A_TIME = 7_205_759_403
"""Key of the advisory lock that a second import waits for."""


class CityRefusedError(InvalidError):
    """A city file was refused as a whole; nothing was changed. Carries every problem."""

    slug = "city-refused"

    def __init__(self, problems: Collection[Problem]) -> None:
        listed = [str(problem) for problem in problems]
        super().__init__(f"the city file is refused and nothing was changed: {'; '.join(listed[:3])}", problems=listed)
        self.problems = tuple(problems)


async def import_city(
    database: Database, source: bytes, *, now: datetime, zone: ZoneInfo, progress: Progress = no_progress
) -> ImportReport:
    """Make the database's city that of a file; safe to repeat.

    Adds and changes by code, retires spaces that the file's lots no longer list, leaves other lots alone.

    Args:
        database: migrated.
        source: the file.
        now: the instant that new assignments and retirements count from.
        zone: of lots that are new.
        progress: told what is being done.

    Raises:
        CityRefusedError: the file is wrong, alone or beside what is stored; nothing was changed.
    """
    started = monotonic()
    async with database.transaction() as db:
        await db.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
        known = set(await db.scalars(select(Tariff.code)))
        progress("reading the file", 0, 1)
        parsed = parse_city(source, tariffs=known | set(notices.shipped()), codecs=CODECS)
        if parsed.city is None:
            raise CityRefusedError(parsed.errors)
        report = ImportReport(warnings=parsed.warnings)
        job = ImportJob(db=db, city=parsed.city, now=now, zone=zone, progress=progress, report=report)
        await _write(job)
        await _publish_tariffs(job, known)
        await db.execute(select(func.pg_notify("parking_registry", "")))
    report.took_seconds = monotonic() - started
    return report


async def _write(job: ImportJob) -> None:
    """Every table in the order in which they refer to one another."""
    stored = await places.list_spaces(job.db)
    _refuse_if(places.spaces_of_other_lots(job.city, stored))
    await places.store_city(job)
    areas_changed = await places.store_areas(job)
    lots = await places.store_lots(job)
    spaces = await places.store_spaces(job, stored)
    await sensors.store_sensors(job)
    _refuse_if(await sensors.store_assignments(job, places.in_use_elsewhere(job.city, stored)))
    job.progress("areas of lots and spaces", 0, 1)
    await link_lots(job.db, None if areas_changed else lots)
    await link_spaces(job.db, None if areas_changed else spaces)


async def _publish_tariffs(job: ImportJob, known: Collection[str]) -> None:
    """Shipped price notices come with the first lot that names them."""
    for code in sorted({lot.tariff for lot in job.city.lots if lot.tariff} - set(known)):
        await publish(job.db, notices.read(code))
        job.report.tariffs.append(code)


def _refuse_if(problems: Collection[Problem]) -> None:
    if problems:
        raise CityRefusedError(problems)
