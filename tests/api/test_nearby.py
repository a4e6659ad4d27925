"""Lots around a place: ranked, with the fee of the wished stay, in either datum."""

from typing import Any

import prcoords
import pytest

from tests.api.conftest import Api
from tests.api.town import HERE, Town, square
from tests.support.waiting import until

pytestmark = pytest.mark.services

PLACE = {"lon": HERE[0], "lat": HERE[1]}


async def codes(api: Api, **wish: Any) -> list[str]:
    answer = await api.json("/api/v1/lots/nearby", params={**PLACE, **wish})
    return [one["properties"]["code"] for one in answer["features"]]


async def test_room_comes_before_the_unknown_and_the_full(api: Api, town: Town) -> None:
    await town.report("KA-001", "KA-002", "KA-003", occupied=True)
    await town.report("KB-001", "KB-002", occupied=False)
    await api.until_states("oooff")
    assert await codes(api) == ["KB", "GS", "KA"]
    await town.report("KA-001", "KA-002", occupied=False)
    await api.until_states("ffoff")
    answer = await api.json("/api/v1/lots/nearby", params=PLACE)
    assert [one["properties"]["rank"] for one in answer["features"]] == [1, 2, 3]
    assert [one["properties"]["prospect"] for one in answer["features"]] == ["free", "free", "unknown"]


async def test_the_fee_is_that_of_the_wished_stay(api: Api) -> None:
    wish = {"arrive_at": "2026-11-23T09:00:00+08:00", "stay_minutes": 75}
    answer = await api.json("/api/v1/lots/nearby", params=PLACE | wish)
    first = answer["features"][0]["properties"]
    assert (first["fee_fen"], first["fee"]["total_fen"]) == (600, 600)
    assert first["fee"]["tariff"] == {"code": "xinchang-kerb", "version": 1}
    assert first["fee"]["lines"]
    assert (answer["arrive_at"], answer["leave_at"]) == ("2026-11-23T01:00:00.000Z", "2026-11-23T02:15:00.000Z")
    quote = {"enter": answer["arrive_at"], "leave": answer["leave_at"]}
    assert first["fee"] == await api.json(f"/api/v1/lots/{first['code']}/quote", params=quote)


async def test_a_lot_is_judged_by_whether_it_is_open_on_arrival(api: Api, town: Town) -> None:
    await town.report("KB-001", occupied=False)
    await town.change_lot("KB", opening_hours="08:00-18:00")
    await api.until_states("uuufu")
    await api.until_lot("KB", lambda lot: lot["free"] == 1)
    assert (await codes(api, arrive_at="2026-11-23T09:00:00+08:00"))[0] == "KB"
    assert (await codes(api, arrive_at="2026-11-23T22:00:00+08:00"))[-1] == "KB"


async def test_only_what_lies_within_the_radius(api: Api, town: Town) -> None:
    lon, lat = HERE[0], HERE[1] + 0.01
    assert await codes(api, lat=lat, radius_m=1_000) == []
    found = await api.json("/api/v1/lots/nearby", params={"lon": lon, "lat": lat, "radius_m": 1_200})
    assert [one["properties"]["distance_m"] for one in found["features"]] == [1112] * 3
    assert found["features"][0]["properties"]["walk_m"] == 1446
    await town.change_lot("GS", entrances=[], geometry=square(0, 100))

    async def only_its_edge_is_near() -> bool:
        return await codes(api, lat=lat, radius_m=200) == ["GS"]

    await until(only_its_edge_is_near)


async def test_both_the_question_and_the_answer_are_in_the_wanted_datum(api: Api) -> None:
    plain = await api.json("/api/v1/lots/nearby", params=PLACE)
    there = prcoords.wgs_gcj((HERE[1], HERE[0]))
    shifted = {"lon": there.lon, "lat": there.lat, "crs": "gcj02"}
    answer = await api.json("/api/v1/lots/nearby", params=shifted)
    for before, after in zip(plain["features"], answer["features"], strict=True):
        assert after["properties"]["distance_m"] == before["properties"]["distance_m"]
        lon, lat = before["geometry"]["coordinates"][0][0]
        corner = prcoords.wgs_gcj((lat, lon))
        assert after["geometry"]["coordinates"][0][0] == pytest.approx([corner.lon, corner.lat], abs=2e-7)
        lon, lat = before["properties"]["entrance"]
        entrance = prcoords.wgs_gcj((lat, lon))
        assert after["properties"]["entrance"] == pytest.approx([entrance.lon, entrance.lat], abs=2e-7)


async def test_nearby_is_no_lots_code_and_a_bad_place_is_refused(api: Api) -> None:
    assert (await api.get("/api/v1/lots/nearby")).status_code == 422
    for wrong in ({"lon": 200}, {"lat": "nan"}, {"radius_m": 0}, {"stay_minutes": 10**9}, {"crs": "bd09"}):
        answer = await api.get("/api/v1/lots/nearby", params={**PLACE, **wrong})
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"


async def test_where_somebody_looks_is_kept_by_nobody(api: Api) -> None:
    answer = await api.get("/api/v1/lots/nearby", params=PLACE)
    assert answer.headers["cache-control"] == "private, no-store"
