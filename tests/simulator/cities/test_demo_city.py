"""The demo city as it is drawn: enough of everything, real metres, nothing on top of anything."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon, shape

from billing import notices
from core.city import Category, CityFile, Level, LotKind, Source, parse_city
from ingest.vendors import CODECS
from simulator.cities import demo_city
from simulator.cities.plane import Plane
from simulator.cities.sensors import luhn_digit
from simulator.cities.svg import draw_svg

TOWN = Plane(120.892, 29.506)
ACCURACY = 0.02
"""Metres: what rounding to seven decimals leaves."""


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(demo_city())
    return document


@pytest.fixture(scope="module")
def city(drawn: dict[str, Any]) -> CityFile:
    parsed = parse_city(drawn, tariffs=notices.shipped(), codecs=CODECS)
    assert (parsed.errors, parsed.warnings) == ((), ())
    assert parsed.city is not None
    return parsed.city


def flat(drawn: dict[str, Any], kind: str) -> list[Any]:
    return [TOWN.to_plane(shape(f["geometry"])) for f in drawn["features"] if f["properties"]["kind"] == kind]


def test_it_is_drawn_the_same_each_time() -> None:
    assert demo_city() == demo_city()


def test_it_is_as_large_as_the_county_s(city: CityFile) -> None:
    sensed = [lot for lot in city.lots if lot.source is Source.SENSORS]
    counted = [lot for lot in city.lots if lot.source is Source.COUNTER]
    assert len(city.spaces) == 2380
    assert (len(sensed), len(counted)) == (41, 5)
    levels = Counter(area.level for area in city.areas)
    assert levels[Level.GRID] == 8
    assert levels[Level.TOWNSHIP] == 10
    assert levels[Level.STREET] >= 3


def test_every_space_has_a_sensor_of_its_own_in_a_real_form(city: CityFile) -> None:
    ids = [space.sensor_id or "" for space in city.spaces]
    assert len(set(ids)) == len(ids)
    forms = Counter(len(one) for one in ids)
    assert set(forms) == {15, 16}
    assert min(forms.values()) > 500
    assert all(luhn_digit(one[:-1]) == int(one[-1]) for one in ids if len(one) == 15)
    assert all(one == one.lower() and int(one, 16) for one in ids if len(one) == 16)


def test_a_lot_is_real_or_says_that_it_is_not(city: CityFile) -> None:
    for lot in city.lots:
        assert lot.name_en
        assert ("（虚构）" in lot.name) == ("(invented)" in lot.name_en)
    assert not any("康乐广场" in lot.name for lot in city.lots)
    assert sum("（虚构）" not in lot.name for lot in city.lots) == 14


def test_real_lots_are_where_they_are(city: CityFile) -> None:
    places = {"文体路": (120.9008, 29.5046), "石城东路": (120.8889, 29.5070), "下司巷停车场": (120.8993, 29.5027)}
    for lot in city.lots:
        if lot.name in places:
            here = TOWN.to_plane(shape(lot.geometry.geojson()))
            assert here.distance(shapely.Point(TOWN.point(*places[lot.name]))) < 10


def test_printed_codes_begin_with_their_lot(city: CityFile) -> None:
    assert all(space.code.startswith(f"{space.lot}-") for space in city.spaces)
    assert len({space.code for space in city.spaces}) == len(city.spaces)


def test_some_spaces_are_marked_for_each(city: CityFile) -> None:
    marked = Counter(space.category for space in city.spaces)
    assert all(marked[category] >= 20 for category in Category)
    assert marked[Category.STANDARD] > 2_000


def test_spaces_measure_what_they_should(city: CityFile) -> None:
    kinds = {lot.code: lot.lot_kind for lot in city.lots}
    sizes: Counter[str] = Counter()
    for space in city.spaces:
        if space.category is not Category.STANDARD:
            continue
        outline = shape(space.geometry.geojson())
        assert isinstance(outline, Polygon)
        corners = list(TOWN.to_plane(outline).exterior.coords)
        sides = sorted(float(np.hypot(*np.subtract(corners[n], corners[n + 1]))) for n in range(4))
        width, length = sides[0], sides[3]
        parallel = abs(width - 2.2) < ACCURACY and abs(length - 6.0) < ACCURACY
        square_on = abs(width - 2.5) < ACCURACY and abs(length - 5.3) < ACCURACY
        assert parallel or square_on
        assert sides[1] - sides[0] < ACCURACY
        assert sides[3] - sides[2] < ACCURACY
        assert not (parallel and kinds[space.lot] is LotKind.OFF_STREET)
        sizes["parallel" if parallel else "square on"] += 1
    assert min(sizes.values()) > 400


def test_no_space_lies_on_another(drawn: dict[str, Any]) -> None:
    spaces = np.array(flat(drawn, "space"))
    one, other = shapely.STRtree(spaces).query(spaces, predicate="intersects")
    apart = one < other
    shared = shapely.area(shapely.intersection(spaces[one[apart]], spaces[other[apart]]))
    assert shared.max() < 0.5


def test_no_space_lies_on_a_street_or_in_the_water(drawn: dict[str, Any]) -> None:
    spaces = shapely.STRtree(flat(drawn, "space"))
    for feature in drawn["features"]:
        if feature["properties"]["kind"] == "context":
            ground = TOWN.to_plane(shape(feature["geometry"]))
            covered = ground.buffer(3.0) if feature["properties"]["what"] == "street" else ground
            assert not len(spaces.query(covered, predicate="intersects")), feature["properties"]


def test_car_parks_hold_their_spaces(drawn: dict[str, Any]) -> None:
    lots = {
        f["properties"]["code"]: TOWN.to_plane(shape(f["geometry"]))
        for f in drawn["features"]
        if f["properties"]["kind"] == "lot" and f["geometry"]["type"] == "Polygon"
    }
    assert len(lots) == 15
    for feature in drawn["features"]:
        properties = feature["properties"]
        if properties["kind"] == "space" and properties["lot"] in lots:
            assert lots[properties["lot"]].buffer(ACCURACY).covers(TOWN.to_plane(shape(feature["geometry"])))


def test_the_town_s_lots_lie_in_grids(city: CityFile) -> None:
    grids = [TOWN.to_plane(shape(area.geometry.geojson())) for area in city.areas if area.level is Level.GRID]
    outside = [
        lot.name
        for lot in city.lots
        if not any(grid.intersects(TOWN.to_plane(shape(lot.geometry.geojson()))) for grid in grids)
    ]
    assert outside == ["十九峰景区停车场"]


def test_its_sources_are_credited(drawn: dict[str, Any]) -> None:
    assert "GeoNames" in drawn["attribution"]
    assert "CC BY 4.0" in drawn["attribution"]


def test_its_picture_shows_every_space(drawn: dict[str, Any]) -> None:
    picture = draw_svg(drawn, grids=True)
    assert picture.startswith("<svg ")
    assert (
        sum(picture.count(f'fill="{colour}"') for colour in ("#2f7d4f", "#1d5fbf", "#00a3a3", "#8a5a00", "#7a4fa0"))
        == 2380
    )
