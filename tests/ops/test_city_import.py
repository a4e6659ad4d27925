"""Importing a city file into a real database: adding, changing, retiring, swapping, refusing, waking the others."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from core.city import Slug
from core.db import Database
from core.errors import UnavailableError
from ops.city import CityRefusedError, ImportReport, import_city
from ops.commands.city import app
from ops.database import create_database, drop_database
from ops.services import RunningServices
from simulator.cities import demo_city, grid_city
from tests.support.cities import LAT, LON, METRE, collection, lot, rectangle, small_city, space
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.services

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

Import = Callable[..., Awaitable[ImportReport]]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def imported(database: Database) -> Import:
    async def run(city: dict[str, Any] | bytes, at: datetime = NOW) -> ImportReport:
        source = city if isinstance(city, bytes) else json.dumps(city).encode()
        return await import_city(database, source, now=at, zone=ZoneInfo("Asia/Shanghai"))

    return run


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as db:
        return [tuple(row) for row in await db.execute(text(query))]


async def whole_city(database: Database) -> list[Any]:
    """Every row an import may write."""
    tables = ("city", "context", "area", "lot", "lot_area", "space", "space_area", "sensor", "sensor_assignment")
    return [await rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in (*tables, "tariff")]  # noqa: S608 - our own table names


WATCHES = """
    SELECT space.code, sensor.code, lower(during), upper(during) FROM sensor_assignment
    JOIN space ON space.id = space_id JOIN sensor ON sensor.id = sensor_id ORDER BY 1, 3 NULLS FIRST
"""
SPACES = "SELECT code, category, retired_at FROM space ORDER BY code"
SPACE_AREAS = """
    SELECT space.code, area.code FROM space_area
    JOIN space ON space.id = space_id JOIN area ON area.id = area_id ORDER BY 1, 2
"""


async def test_a_city_is_stored_whole(database: Database, imported: Import) -> None:
    report = await imported(small_city())
    assert (report.city, report.contexts) == ("小城", 1)
    assert await rows(database, "SELECT name, name_en FROM city") == [("小城", "Small Town")]
    assert (report.areas.added, report.lots.added, report.spaces.added, report.sensors.added) == (2, 2, 3, 3)
    assert await rows(database, "SELECT code, source, capacity, tariff, zone FROM lot ORDER BY code") == [
        ("CT", "counter", 90, None, "Asia/Shanghai"),
        ("KL", "sensors", None, "xinchang-kerb", "Asia/Shanghai"),
    ]
    assert await rows(database, WATCHES) == [(f"KL-00{n}", f"s{n}", None, None) for n in (1, 2, 3)]
    assert await rows(database, SPACE_AREAS) == [(f"KL-00{n}", area) for n in (1, 2, 3) for area in ("G1", "T1")]
    assert await rows(database, "SELECT child.code, a.code FROM area child JOIN area a ON a.id = child.parent_id") == [
        ("G1", "T1")
    ]


async def test_the_same_file_again_changes_nothing(database: Database, imported: Import) -> None:
    await imported(small_city())
    before = await whole_city(database)
    report = await imported(small_city(), LATER)
    assert await whole_city(database) == before
    for counts in (report.areas, report.lots, report.spaces, report.sensors, report.assignments):
        assert (counts.added, counts.changed, counts.retired) == (0, 0, 0)
    assert report.spaces.unchanged == 3
    assert report.contexts is None


async def test_what_differs_is_changed_under_the_same_id(database: Database, imported: Import) -> None:
    await imported(small_city())
    ids = await rows(database, "SELECT id, code FROM space ORDER BY code")
    city = small_city()
    features = city["features"]
    features[5]["properties"]["category"] = "ev_charging"
    features[6]["properties"].update(codec="bosch-tps110-fw0.29", heartbeat_seconds=60)
    features[3]["properties"]["name"] = "另一条路"
    features[8]["properties"]["name"] = "另一条河"
    report = await imported(city)
    assert (report.lots.changed, report.spaces.changed, report.sensors.changed, report.contexts) == (1, 1, 1, 1)
    assert await rows(database, "SELECT id, code FROM space ORDER BY code") == ids
    assert (await rows(database, SPACES))[0] == ("KL-001", "ev_charging", None)
    assert await rows(database, "SELECT codec, heartbeat_seconds FROM sensor WHERE code = 's2'") == [
        ("bosch-tps110-fw0.29", 60)
    ]
    assert await rows(database, "SELECT name FROM context") == [("另一条河",)]


async def test_a_space_its_lot_no_longer_lists_retires_with_its_sensor_and_comes_back(
    database: Database, imported: Import
) -> None:
    await imported(small_city())
    city = small_city()
    del city["features"][7]
    report = await imported(city)
    assert (report.spaces.retired, report.spaces.unchanged) == (1, 2)
    assert await rows(database, "SELECT code, retired_at FROM space WHERE retired_at IS NOT NULL") == [("KL-003", NOW)]
    assert (await rows(database, WATCHES))[2] == ("KL-003", "s3", None, None)
    again = await imported(city, LATER)
    assert again.spaces.retired == 0
    back = await imported(small_city(), LATER)
    assert (back.spaces.changed, back.assignments.added) == (1, 0)
    assert not await rows(database, "SELECT code FROM space WHERE retired_at IS NOT NULL")


async def test_other_lots_are_left_alone(database: Database, imported: Import) -> None:
    await imported(small_city())
    before = await rows(database, SPACES)
    other = collection(lot("BE"), space("BE-001", "b1", lot="BE", at=5))
    report = await imported(other)
    assert (report.lots.added, report.spaces.added, report.spaces.retired) == (1, 1, 0)
    assert (await rows(database, SPACES))[1:] == before
    assert ("BE-001", "G1") in await rows(database, SPACE_AREAS)
    assert await rows(database, "SELECT name FROM city") == [("小城",)]
    assert len(await rows(database, "SELECT id FROM context")) == 1


async def test_an_area_that_moves_takes_its_places_along(database: Database, imported: Import) -> None:
    await imported(small_city())
    city = small_city()
    city["features"][2]["geometry"] = rectangle(500, 500, 50, 50)
    await imported(city)
    assert await rows(database, SPACE_AREAS) == [(f"KL-00{n}", "T1") for n in (1, 2, 3)]
    assert await rows(database, "SELECT count(*) FROM lot_area") == [(2,)]


async def test_sensors_swapped_in_one_import_keep_their_past(database: Database, imported: Import) -> None:
    await imported(small_city())
    city = small_city()
    features = city["features"]
    features[5]["properties"].update(sensor_id="s2", installed_at="2026-03-09T20:00:00+08:00")
    features[6]["properties"].update(sensor_id="s1", installed_at="2026-03-09T20:00:00+08:00")
    report = await imported(city)
    swapped = NOW - timedelta(days=1)
    assert (report.assignments.added, report.assignments.retired, report.assignments.unchanged) == (2, 2, 1)
    assert await rows(database, WATCHES) == [
        ("KL-001", "s1", None, swapped),
        ("KL-001", "s2", swapped, None),
        ("KL-002", "s2", None, swapped),
        ("KL-002", "s1", swapped, None),
        ("KL-003", "s3", None, None),
    ]


async def test_a_new_sensor_without_a_date_counts_from_the_import(database: Database, imported: Import) -> None:
    await imported(small_city())
    city = small_city()
    city["features"][5]["properties"]["sensor_id"] = "s9"
    await imported(city, LATER)
    assert (await rows(database, WATCHES))[:2] == [("KL-001", "s1", None, LATER), ("KL-001", "s9", LATER, None)]


@pytest.mark.parametrize(
    ("second", "slug"),
    [
        (collection(lot("BE"), space("KL-001", "b1", lot="BE")), Slug.SPACE_OF_ANOTHER_LOT),
        (collection(lot("BE"), space("BE-001", "s1", lot="BE")), Slug.SENSOR_OF_ANOTHER_LOT),
        (collection(lot("BE"), space("BE-001", "b1", lot="BF")), Slug.MISSING_LOT),
        (collection(lot("BE", opening_hours="never"), space("BE-001", "b1", lot="BE")), Slug.BAD_OPENING_HOURS),
        (
            collection(lot(), space("KL-001", "s9", installed_at="2026-03-01T00:00:00Z"), space("KL-009", "n1", at=8)),
            Slug.INSTALLED_TOO_EARLY,
        ),
    ],
)
async def test_on_any_error_nothing_is_changed(
    database: Database, imported: Import, second: dict[str, Any], slug: Slug
) -> None:
    city = small_city()
    city["features"][5]["properties"]["installed_at"] = "2026-03-05T00:00:00Z"
    await imported(city)
    before = await whole_city(database)
    with pytest.raises(CityRefusedError) as refused:
        await imported(second, LATER)
    assert [problem.slug for problem in refused.value.problems] == [slug]
    assert await whole_city(database) == before


async def test_a_shipped_price_notice_comes_with_the_first_lot_that_names_it(
    database: Database, imported: Import
) -> None:
    city = small_city()
    city["features"][3]["properties"]["tariff"] = "xinchang-scenic"
    report = await imported(city)
    assert report.tariffs == ["xinchang-scenic"]
    found = "SELECT version FROM tariff_version JOIN tariff t ON t.id = tariff_id WHERE t.code = 'xinchang-scenic'"
    assert len(await rows(database, found)) == 1
    assert (await imported(city)).tariffs == []


async def test_the_others_wake_after_the_commit(database_url: str, imported: Import) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url)
    try:
        await listener.add_listener("parking_registry", lambda *notice: heard.put_nowait(notice[3]))
        await imported(small_city())
        assert await asyncio.wait_for(heard.get(), timeout=PATIENCE_SECONDS) is not None
        assert await listener.fetchval("SELECT count(*) FROM space") == 3
    finally:
        await listener.close()


async def test_two_imports_at_once_take_turns(database: Database, imported: Import) -> None:
    reports = await asyncio.gather(*(imported(small_city()) for _ in range(3)))
    assert sorted(report.spaces.added for report in reports) == [0, 0, 3]
    assert len(await rows(database, WATCHES)) == 3


async def test_the_demo_city_is_imported_whole(database: Database, imported: Import) -> None:
    report = await imported(demo_city())
    assert (report.lots.added, report.spaces.added, report.warnings) == (46, 2380, ())
    per_level = await rows(
        database,
        "SELECT level, count(DISTINCT space_id) FROM space_area JOIN area ON area.id = area_id GROUP BY 1 ORDER BY 1",
    )
    assert dict(per_level)["grid"] == 2380
    assert dict(per_level)["township"] == 2380


async def test_a_city_larger_than_the_most_parameters_of_a_statement_is_imported(
    database: Database, imported: Import
) -> None:
    city = grid_city(33_000)
    report = await imported(city)
    assert report.spaces.added == 33_000
    assert (await imported(city)).spaces.unchanged == 33_000
    city["features"] = [feature for feature in city["features"] if feature["properties"]["kind"] == "lot"]
    assert (await imported(city)).spaces.retired == 33_000


def test_the_command_says_what_it_did_and_what_it_refuses(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARKING_DATABASE_URL", database_url)
    file = tmp_path / "city.geojson"
    file.write_text(json.dumps(small_city()), encoding="utf-8")
    done = CliRunner().invoke(app, ["import", str(file)])
    assert done.exit_code == 0
    assert ["spaces", "3", "-", "-", "-"] in [line.split() for line in done.stdout.splitlines()]
    assert "of 小城" in done.stdout
    city = small_city()
    city["features"][7]["properties"]["sensor_id"] = "s1"
    file.write_text(json.dumps(city), encoding="utf-8")
    refused = CliRunner().invoke(app, ["import", str(file)])
    assert refused.exit_code == 1
    assert "features[7], space KL-003: sensor s1 is already that of features[5]" in refused.stderr
    assert "nothing was changed" in refused.stderr


async def test_a_database_without_tables_says_what_to_do(
    services: RunningServices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = await create_database(services.endpoints.database_url, "no_tables")
    monkeypatch.setenv("PARKING_DATABASE_URL", url)
    file = tmp_path / "city.geojson"
    file.write_text(json.dumps(small_city()), encoding="utf-8")
    answer = await asyncio.to_thread(CliRunner().invoke, app, ["import", str(file)])
    assert isinstance(answer.exception, UnavailableError)
    assert "run `parking db upgrade`" in answer.exception.message
    await drop_database(services.endpoints.database_url, "no_tables")


async def test_a_point_is_a_place_too(database: Database, imported: Import) -> None:
    city = small_city()
    city["features"][5]["geometry"] = {"type": "Point", "coordinates": [LON + METRE, LAT + METRE, 61.0]}
    await imported(city)
    (geometry,) = (await rows(database, "SELECT geometry FROM space WHERE code = 'KL-001'"))[0]
    assert geometry["type"] == "Point"
    assert len(geometry["coordinates"]) == 2
