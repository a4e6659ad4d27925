"""Our pure modules, run where they will run: in the browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import prcoords
import pytest

from tests.web.live import LiveCity
from tests.web.looking import Visit, Visits

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]


async def run(visit: Visit, module: str, call: str, *arguments: Any) -> Any:
    base = await visit.page.locator('script[type="module"]').get_attribute("src")
    assert base is not None
    return await visit.page.evaluate(
        "async ([path, call, given]) => { const m = await import(path); return m[call](...given); }",
        [base.replace("main.js", module), call, list(arguments)],
    )


async def test_shifted_coordinates_agree_with_an_independent_conversion(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    for lon, lat in [(120.9016, 29.5039), (116.39, 39.91), (87.6, 43.8), (110.33, 20.03)]:
        expected = prcoords.wgs_gcj((lat, lon))
        shifted = await run(visit, "gcj02.js", "toGcj02", [lon, lat])
        assert shifted == pytest.approx([expected[1], expected[0]], abs=1e-6)
    assert await run(visit, "gcj02.js", "toGcj02", [2.35, 48.85]) == [2.35, 48.85]


HOURS = [
    (
        "Mo-Fr 07:30-21:00; PH off",
        "周一至周五 07:30–21:00；法定节假日 不开放",
        "Mon to Fri 07:30–21:00; public holidays closed",
    ),
    ("06:30-22:00", "每天 06:30–22:00", "Every day 06:30–22:00"),
    ("Mo-Su 08:00-12:00, 14:00-18:00", "每天 08:00–12:00、14:00–18:00", "Every day 08:00–12:00, 14:00–18:00"),
    ("week 1-20 Mo 10:00-12:00", "week 1-20 Mo 10:00-12:00", "week 1-20 Mo 10:00-12:00"),
]


async def test_opening_hours_are_put_in_words(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    for hours, zh, en in HOURS:
        assert await run(visit, "hours.js", "hoursInWords", hours, "zh") == zh
        assert await run(visit, "hours.js", "hoursInWords", hours, "en") == en


GRADES = [
    ({"available": 30, "free": 30, "occupied": 20, "unknown": 0, "closed": 0}, "free"),
    ({"available": 3, "free": 3, "occupied": 7, "unknown": 0, "closed": 0}, "few"),
    ({"available": 7, "free": 7, "occupied": 43, "unknown": 0, "closed": 0}, "few"),
    ({"available": 142, "free": 142, "occupied": 856, "unknown": 0, "closed": 0}, "free"),
    ({"available": 0, "free": 0, "occupied": 50, "unknown": 0, "closed": 0}, "full"),
    ({"available": 0, "free": 0, "occupied": 10, "unknown": 40, "closed": 0}, "unknown"),
    ({"available": 0, "free": 0, "occupied": 0, "unknown": 0, "closed": 50}, "unknown"),
    ({"available": 0, "free": 30, "occupied": 20, "unknown": 0, "closed": 0, "open_now": False}, "shut"),
]


async def test_a_lots_grade_never_takes_unknown_for_free_or_full(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    for counts, grade in GRADES:
        assert await run(visit, "lots.js", "gradeOf", {"open_now": True, **counts}) == grade, counts


def weeks(days: int, occupancy: float | None, *, silent: bool = False) -> list[dict[str, Any]]:
    """Hours of so many days before Monday 23 November 2026, 12:00 in China."""
    noon = datetime(2026, 11, 23, 4, tzinfo=UTC)
    return [
        {
            "from": (noon - timedelta(hours=hour)).isoformat(),
            "occupancy": occupancy,
            "silent": silent,
            "complete": True,
        }
        for hour in range(1, 24 * days)
    ]


async def test_a_typical_day_is_told_only_where_there_is_a_past(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    now_ms, zone = 1_795_406_400_000, "Asia/Shanghai"
    told = await run(visit, "typical.js", "typicalDay", weeks(14, 0.75), now_ms, zone)
    assert [one["hour"] for one in told] == list(range(24))
    assert {one["free"] for one in told} == {0.25}
    assert max(one["days"] for one in told) == 10, "of fourteen days ten are working days, as the present one is"
    for too_little in (weeks(3, 0.75), weeks(14, None), weeks(14, 0.75, silent=True), []):
        assert await run(visit, "typical.js", "typicalDay", too_little, now_ms, zone) is None


async def test_the_nearest_places_with_room_are_worth_going_to(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    counts = {"occupied": 10, "unknown": 0, "closed": 0, "open_now": True}

    def lot(code: str, north: float, free: int, **more: Any) -> dict[str, Any]:
        return {"id": code, "available": free, "free": free, "centre": [120.9, 29.5 + north], **counts, **more}

    lots = [
        lot("far", 0.02, 40),
        lot("near", 0.001, 5),
        lot("full", 0.0001, 0),
        lot("silent", 0.0002, 1, unknown=50),
        lot("shut", 0.0003, 9, open_now=False),
    ]
    found = await run(visit, "lots.js", "nearestWithRoom", lots, [120.9, 29.5], 3)
    assert [one["id"] for one in found] == ["near", "far"]


async def test_a_time_has_its_date_when_it_is_another_day_there(live_city: LiveCity, visits: Visits) -> None:
    """Whatever the device's own clock says: what counts is the day of the town's, as the server told it."""
    visit = await visits.to(live_city.url)
    main = await visit.page.locator('script[type="module"]').get_attribute("src")
    told = await visit.page.evaluate(
        """async ([path, now]) => {
          const { clock, dayOf, learnNow, timeOf } = await import(path);
          learnNow(now); // and asked at once, before the stream tells the page the time again
          const evening = "2026-03-01T15:58:00Z", night = "2026-03-01T16:05:00Z";
          return [dayOf(evening), clock(evening), dayOf(night), timeOf(night), clock(night)];
        }""",
        [str(main).replace("main.js", "i18n.js"), "2026-03-01T15:50:00Z"],
    )
    assert told == ["", "23:58", "3月2日", "00:05", "3月2日 00:05"]


LENGTHS = [(0, "不到 1 分钟"), (1, "1 分钟"), (89, "89 分钟"), (90, "1 小时 30 分"), (1_440, "24 小时")]


async def test_the_length_of_a_stay_is_in_minutes_never_in_seconds(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    for minutes, words in LENGTHS:
        assert await run(visit, "i18n.js", "stayed", minutes) == words


async def test_a_shifted_point_finds_back(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    there = await run(visit, "gcj02.js", "toGcj02", [120.9016, 29.5039])
    assert await run(visit, "gcj02.js", "fromGcj02", there) == pytest.approx([120.9016, 29.5039], abs=1e-8)
