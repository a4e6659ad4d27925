"""The city file: what is read, what is refused and under which name."""

import json
import math
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.city import Category, LotKind, Slug, Source, parse_city
from core.city.features import PROPERTIES
from core.city.problems import WARNINGS
from tests.support.cities import LAT, LON, METRE, collection, feature, lot, rectangle, small_city, space

CITY, TOWNSHIP, GRID, LOT, COUNTER, FIRST, SECOND, THIRD, RIVER = range(9)
TARIFFS = {"xinchang-kerb"}
CODECS = {"native", "bosch-tps110-fw0.29"}

Change = Callable[[list[dict[str, Any]]], object]


def slugs_of(city: dict[str, Any] | bytes) -> list[Slug]:
    parsed = parse_city(city, tariffs=TARIFFS, codecs=CODECS)
    return [problem.slug for problem in (*parsed.errors, *parsed.warnings)]


def changed(change: Change) -> dict[str, Any]:
    city = small_city()
    change(city["features"])
    return city


def put(index: int, **properties: object) -> Change:
    return lambda features: features[index]["properties"].update(properties)


def drop(index: int, name: str) -> Change:
    return lambda features: features[index]["properties"].pop(name)


def draw(index: int, geometry: object) -> Change:
    return lambda features: features[index].update(geometry=geometry)


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    ring = [[LON + east * METRE, LAT + north * METRE] for east, north in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def far_away() -> dict[str, Any]:
    return {"type": "Point", "coordinates": [LON + 0.2, LAT]}


def exchanged(geometry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[lat, lon] for lon, lat in geometry["coordinates"][0]]]}


def test_a_right_file_is_read_whole() -> None:
    city = small_city()
    city["attribution"] = "GeoNames"
    parsed = parse_city(json.dumps(city).encode(), tariffs=TARIFFS, codecs=CODECS)
    assert (parsed.errors, parsed.warnings) == ((), ())
    assert parsed.city is not None
    assert parsed.city.city is not None
    assert (parsed.city.city.name, parsed.city.city.name_en) == ("小城", "Small Town")
    assert parsed.city.attribution == "GeoNames"
    assert [(area.code, area.parent) for area in parsed.city.areas] == [("T1", None), ("G1", "T1")]
    assert [(lot.code, lot.source, lot.capacity) for lot in parsed.city.lots] == [
        ("KL", Source.SENSORS, None),
        ("CT", Source.COUNTER, 90),
    ]
    assert [space.sensor_id for space in parsed.city.spaces] == ["s1", "s2", "s3"]
    assert [context.name for context in parsed.city.contexts] == ["河"]


def test_what_a_file_leaves_out_has_its_default() -> None:
    bare = collection(
        feature(
            {"type": "Point", "coordinates": [120, 29]},
            kind="lot",
            code="A",
            name="A",
            lot_kind="off_street",
            tariff="xinchang-kerb",
        ),
        feature({"type": "Point", "coordinates": [120, 29, 55.5]}, kind="space", code="A-1", lot="A", sensor_id="s"),
    )
    city = parse_city(bare).city
    assert city is not None
    (lot,), (space,) = city.lots, city.spaces
    assert (lot.source, lot.opening_hours, lot.entrances) == (Source.SENSORS, "24/7", ())
    assert (lot.min_stay_seconds, lot.min_gap_seconds, lot.lot_kind) == (20, 20, LotKind.OFF_STREET)
    assert (space.category, space.codec, space.heartbeat_seconds) == (Category.STANDARD, "native", 3600)
    assert space.installed_at is None
    assert space.geometry.coordinates == (120.0, 29.0)


def test_instants_are_utc_and_floats_that_are_whole_are_numbers() -> None:
    city = changed(put(FIRST, installed_at="2026-03-01T08:00:00+08:00", heartbeat_seconds=600.0))
    parsed = parse_city(city).city
    assert parsed is not None
    assert parsed.spaces[0].installed_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert parsed.spaces[0].heartbeat_seconds == 600


def test_a_ring_may_turn_either_way() -> None:
    city = changed(draw(FIRST, polygon((0, 0), (0, 2), (6, 2), (6, 0), (0, 0))))
    assert slugs_of(city) == []


def test_entrances_are_positions_or_points() -> None:
    point = {"type": "Point", "coordinates": [LON, LAT]}
    parsed = parse_city(changed(put(LOT, entrances=[[LON, LAT, 60], point]))).city
    assert parsed is not None
    assert parsed.lots[0].entrances == ((LON, LAT), (LON, LAT))
    at_once = {"type": "MultiPoint", "coordinates": [[LON, LAT]]}
    again = parse_city(changed(put(LOT, entrances=at_once))).city
    assert again is not None
    assert again.lots[0].entrances == ((LON, LAT),)


def test_a_collection_of_context_geometries_is_several_contexts() -> None:
    parts = [far_away(), rectangle(0, 0, 50, 50)]
    parsed = parse_city(changed(draw(RIVER, {"type": "GeometryCollection", "geometries": parts}))).city
    assert parsed is not None
    assert [context.geometry.type for context in parsed.contexts] == ["Point", "Polygon"]


ONE_MISTAKE: dict[str, tuple[Change, Slug]] = {
    "a feature that is none": (lambda features: features.append({"kind": "space"}), Slug.NOT_A_FEATURE),
    "a feature without properties": (lambda features: features[RIVER].update(properties=None), Slug.NOT_A_FEATURE),
    "a misspelt kind": (put(RIVER, kind="contxt"), Slug.UNKNOWN_KIND),
    "a second city": (lambda features: features.append(deepcopy(features[CITY])), Slug.TWO_CITIES),
    "no code": (drop(LOT, "name"), Slug.MISSING_PROPERTY),
    "no level": (drop(GRID, "level"), Slug.MISSING_PROPERTY),
    "no tariff where stays are billed": (drop(LOT, "tariff"), Slug.MISSING_PROPERTY),
    "a null is an absence": (put(FIRST, lot=None), Slug.MISSING_PROPERTY),
    "a misspelt property": (put(FIRST, heartbeat_second=60), Slug.UNKNOWN_PROPERTY),
    "a property of another tool": (put(FIRST, fid=7), Slug.IGNORED_PROPERTY),
    "a number for a text": (put(LOT, name=7), Slug.WRONG_TYPE),
    "a text for a number": (put(FIRST, heartbeat_seconds="60"), Slug.WRONG_TYPE),
    "true is no number": (put(FIRST, heartbeat_seconds=True), Slug.WRONG_TYPE),
    "half a second": (put(FIRST, heartbeat_seconds=0.5), Slug.WRONG_TYPE),
    "entrances that are no list": (put(LOT, entrances="north"), Slug.WRONG_TYPE),
    "an entrance that is no position": (put(LOT, entrances=["north"]), Slug.BAD_COORDINATES),
    "an unknown category": (put(FIRST, category="disabled"), Slug.UNKNOWN_WORD),
    "an unknown source": (put(LOT, source="sensor"), Slug.UNKNOWN_WORD),
    "a heartbeat of nothing": (put(FIRST, heartbeat_seconds=0), Slug.OUT_OF_RANGE),
    "an infinite heartbeat": (put(FIRST, heartbeat_seconds=math.inf), Slug.WRONG_TYPE),
    "a negative shortest stay": (put(LOT, min_stay_seconds=-1), Slug.OUT_OF_RANGE),
    "a gap longer than a day": (put(LOT, min_gap_seconds=90_000), Slug.OUT_OF_RANGE),
    "no capacity at all": (put(COUNTER, capacity=0), Slug.OUT_OF_RANGE),
    "a blank name": (put(LOT, name="  "), Slug.BAD_TEXT),
    "a line break in a name": (put(LOT, name="人民\n路"), Slug.BAD_TEXT),
    "half a character": (put(LOT, name="路\ud800"), Slug.BAD_TEXT),
    "an endless name": (put(LOT, name="路" * 201), Slug.BAD_TEXT),
    "a code with a slash": (put(THIRD, code="KL/003"), Slug.BAD_CODE),
    "a code with a blank": (put(THIRD, code="KL 003"), Slug.BAD_CODE),
    "a sensor that is a wildcard": (put(FIRST, sensor_id="s+"), Slug.BAD_CODE),
    "a sensor that is all wildcards": (put(FIRST, sensor_id="#"), Slug.BAD_CODE),
    "a code with a nought byte": (put(THIRD, code="KL\x00"), Slug.BAD_CODE),
    "a code of dots": (put(THIRD, code=".."), Slug.BAD_CODE),
    "a local instant": (put(FIRST, installed_at="2026-03-01T08:00:00"), Slug.BAD_INSTANT),
    "a day for an instant": (put(FIRST, installed_at="yesterday"), Slug.BAD_INSTANT),
    "hours nobody can read": (put(LOT, opening_hours="Mo-Fr 7h"), Slug.BAD_OPENING_HOURS),
    "a DevEUI in upper case": (
        put(FIRST, sensor_id="AEDE480001000001", codec="bosch-tps110-fw0.29"),
        Slug.UPPER_CASE_DEV_EUI,
    ),
    "an unknown tariff": (put(LOT, tariff="xinchang-curb"), Slug.UNKNOWN_TARIFF),
    "an unknown codec": (put(FIRST, codec="bosch"), Slug.UNKNOWN_CODEC),
    "a space twice": (put(SECOND, code="KL-001"), Slug.DUPLICATE_CODE),
    "a lot twice": (lambda features: features.append(deepcopy(features[COUNTER])), Slug.DUPLICATE_CODE),
    "an area twice": (put(GRID, code="T1", parent=None), Slug.DUPLICATE_CODE),
    "a sensor in two spaces": (put(SECOND, sensor_id="s1"), Slug.DUPLICATE_SENSOR),
    "a space of no lot": (put(FIRST, lot="KM"), Slug.MISSING_LOT),
    "a parent that is not there": (put(GRID, parent="T2"), Slug.MISSING_PARENT),
    "an area inside itself": (put(TOWNSHIP, parent="G1"), Slug.PARENT_CYCLE),
    "a counter that does not say how many": (drop(COUNTER, "capacity"), Slug.MISSING_CAPACITY),
    "a space of a counter": (put(FIRST, lot="CT"), Slug.SPACE_IN_COUNTED_LOT),
    "a capacity beside sensors": (put(LOT, capacity=3), Slug.IGNORED_CAPACITY),
    "a space without sensor": (drop(FIRST, "sensor_id"), Slug.SPACE_WITHOUT_SENSOR),
    "a lot without spaces": (lambda features: features.append(lot("KM")), Slug.LOT_WITHOUT_SPACES),
    "no geometry": (draw(FIRST, None), Slug.EMPTY_GEOMETRY),
    "an empty geometry": (draw(FIRST, {"type": "Polygon", "coordinates": []}), Slug.EMPTY_GEOMETRY),
    "an empty ring": (draw(FIRST, {"type": "Polygon", "coordinates": [[]]}), Slug.EMPTY_GEOMETRY),
    "a space that is a line": (
        draw(FIRST, {"type": "LineString", "coordinates": [[LON, LAT], [LON, LAT + METRE]]}),
        Slug.WRONG_GEOMETRY,
    ),
    "a city that is a point": (draw(CITY, {"type": "Point", "coordinates": [LON, LAT]}), Slug.WRONG_GEOMETRY),
    "a geometry that is none": (draw(FIRST, [LON, LAT]), Slug.BAD_COORDINATES),
    "coordinates in quotes": (draw(FIRST, {"type": "Point", "coordinates": ["120.9", "29.5"]}), Slug.BAD_COORDINATES),
    "no number": (draw(FIRST, {"type": "Point", "coordinates": [math.nan, LAT]}), Slug.BAD_COORDINATES),
    "metres of Mercator": (
        draw(FIRST, {"type": "Point", "coordinates": [13_458_000, 3_440_000]}),
        Slug.BAD_COORDINATES,
    ),
    "a line of one place": (
        draw(RIVER, {"type": "LineString", "coordinates": [[LON, LAT], [LON, LAT]]}),
        Slug.BAD_COORDINATES,
    ),
    "a ring of three": (draw(FIRST, polygon((0, 0), (6, 0), (0, 0))), Slug.BAD_COORDINATES),
    "an open ring": (draw(FIRST, polygon((0, 0), (6, 0), (6, 2), (0, 2))), Slug.UNCLOSED_RING),
    "a bow tie": (draw(FIRST, polygon((0, 0), (6, 2), (6, 0), (0, 2), (0, 0))), Slug.SELF_CROSSING),
    "a crossing river": (
        draw(RIVER, polygon((0, 0), (60, 20), (60, 0), (0, 20), (0, 0))),
        Slug.SELF_CROSSING,
    ),
    "a flat ring": (draw(FIRST, polygon((0, 0), (6, 0), (3, 0), (0, 0))), Slug.SELF_CROSSING),
    "a hole": (
        draw(
            FIRST,
            {
                "type": "Polygon",
                "coordinates": [
                    *rectangle(0, 0, 6, 2.2)["coordinates"],
                    *rectangle(1, 1, 1, 1)["coordinates"],
                ],
            },
        ),
        Slug.HOLE_IN_SPACE,
    ),
    "a space outside the city": (draw(FIRST, far_away()), Slug.OUTSIDE_CITY),
    "a lot outside the city": (draw(COUNTER, far_away()), Slug.OUTSIDE_CITY),
    "an entrance outside the city": (put(LOT, entrances=[[LON + 0.2, LAT]]), Slug.OUTSIDE_CITY),
    "an area elsewhere": (draw(GRID, rectangle(90_000, 0, 100, 100)), Slug.OUTSIDE_CITY),
    "latitude first": (draw(FIRST, exchanged(rectangle(0, 0, 6, 2.2))), Slug.SWAPPED_COORDINATES),
    "a space as large as a field": (draw(THIRD, rectangle(12, 0, 30, 30)), Slug.ODD_SIZE),
    "two spaces in one place": (draw(SECOND, rectangle(1, 0, 6, 2.2)), Slug.OVERLAPPING_SPACES),
}


@pytest.mark.parametrize("mistake", ONE_MISTAKE)
def test_one_mistake_gives_exactly_its_problem(mistake: str) -> None:
    change, slug = ONE_MISTAKE[mistake]
    city = changed(change)
    parsed = parse_city(city, tariffs=TARIFFS, codecs=CODECS)
    assert [problem.slug for problem in (*parsed.errors, *parsed.warnings)] == [slug]
    assert (parsed.city is None) == (slug not in WARNINGS)


def test_the_ends_of_an_open_ring_are_told_finely_enough_to_differ() -> None:
    open_ring = {
        "type": "Polygon",
        "coordinates": [[[120.9, 29.5], [120.90001, 29.5], [120.90001, 29.5], [120.9, 29.50001]]],
    }
    (problem,) = parse_city(changed(draw(FIRST, open_ring)), tariffs=TARIFFS, codecs=CODECS).errors
    assert "[120.9, 29.5] and ends at [120.9, 29.50001]" in problem.why


def test_without_a_city_a_space_stays_near_its_lot() -> None:
    city = changed(draw(FIRST, rectangle(2_100, 0, 6, 2.2)))
    del city["features"][CITY]
    assert slugs_of(city) == [Slug.FAR_FROM_LOT]


def test_without_a_city_exchanged_coordinates_are_told_from_distance() -> None:
    near_equator = collection(
        feature(
            {"type": "Point", "coordinates": [30.0, 10.0]},
            kind="lot",
            code="A",
            name="A",
            lot_kind="off_street",
            tariff="xinchang-kerb",
        ),
        feature({"type": "Point", "coordinates": [10.0, 30.0]}, kind="space", code="A-1", lot="A", sensor_id="s"),
    )
    assert slugs_of(near_equator) == [Slug.SWAPPED_COORDINATES]


def test_a_refused_lot_does_not_blame_its_spaces() -> None:
    assert slugs_of(changed(put(LOT, lot_kind="kerb"))) == [Slug.UNKNOWN_WORD]


def test_all_problems_are_told_at_once() -> None:
    city = changed(put(LOT, name=""))
    put(FIRST, heartbeat_seconds=0)(city["features"])
    put(SECOND, code="KL-003")(city["features"])
    assert sorted(slugs_of(city)) == [Slug.BAD_TEXT, Slug.DUPLICATE_CODE, Slug.OUT_OF_RANGE]


def test_a_problem_names_its_place_and_the_nearest_word() -> None:
    (problem,) = parse_city(changed(put(FIRST, category="ev-chargin"))).errors
    assert problem.where == "features[5], space KL-001"
    assert problem.cure == "Is it ev_charging?"


@pytest.mark.parametrize(
    ("source", "slug", "where"),
    [
        (b"", Slug.NOT_JSON, "line 1, column 1"),
        (b'{"type": "FeatureCollection",\n "features": [}', Slug.NOT_JSON, "line 2, column 15"),
        (b"[" * 100_000, Slug.NOT_JSON, "the file"),
        (b"1" * 5_000, Slug.NOT_JSON, "the file"),
        (b"null", Slug.NOT_A_FEATURE_COLLECTION, "the file"),
        (b'{"type": "Feature"}', Slug.NOT_A_FEATURE_COLLECTION, "the file"),
        ('{\n"名": "新昌"}'.encode("gbk"), Slug.NOT_UTF8, "line 2"),
    ],
)
def test_a_file_that_is_no_city_is_refused_with_its_place(source: bytes, slug: Slug, where: str) -> None:
    (problem,) = parse_city(source).errors
    assert (problem.slug, problem.where) == (slug, where)


def test_a_byte_order_mark_is_forgiven() -> None:
    assert parse_city(b"\xef\xbb\xbf" + json.dumps(small_city()).encode()).city is not None


@pytest.mark.parametrize(
    ("name", "slugs"),
    [("urn:ogc:def:crs:OGC:1.3:CRS84", []), ("EPSG:4490", []), ("EPSG:3857", [Slug.WRONG_DATUM])],
)
def test_another_datum_is_refused(name: str, slugs: list[Slug]) -> None:
    city = small_city() | {"crs": {"type": "name", "properties": {"name": name}}}
    assert slugs_of(city) == slugs


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted({name for names in PROPERTIES.values() for name in names})
GEOMETRY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "Circle"]),
        "coordinates": ANY_JSON
        | st.recursive(st.lists(st.floats(), max_size=3), lambda inner: st.lists(inner, max_size=5), max_leaves=12),
    }
)
FEATURE = st.fixed_dictionaries(
    {
        "type": st.just("Feature"),
        "properties": st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=6).flatmap(
            lambda properties: st.sampled_from([*PROPERTIES, "plot"]).map(lambda kind: properties | {"kind": kind})
        ),
        "geometry": ANY_JSON | GEOMETRY,
    }
)


@settings(max_examples=300, deadline=None)
@given(
    ANY_JSON | st.fixed_dictionaries({"type": st.just("FeatureCollection"), "features": st.lists(FEATURE, max_size=6)})
)
def test_whatever_the_json_the_answer_is_a_value(value: Any) -> None:
    parsed = parse_city(json.dumps(value).encode(), tariffs=TARIFFS, codecs=CODECS)
    assert (parsed.city is None) == bool(parsed.errors)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, RIVER), st.sampled_from(NAMES), ANY_JSON)
def test_a_right_city_with_anything_anywhere_never_crashes(index: int, name: str, value: Any) -> None:
    parsed = parse_city(changed(put(index, **{name: value})), tariffs=TARIFFS, codecs=CODECS)
    assert all(str(problem).isprintable() for problem in (*parsed.errors, *parsed.warnings))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_the_bytes_the_answer_is_a_value(source: bytes) -> None:
    assert parse_city(source).city is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_for_opening_hours_is_judged(hours: str) -> None:
    assert set(slugs_of(changed(put(LOT, opening_hours=hours)))) <= {Slug.BAD_OPENING_HOURS, Slug.BAD_TEXT}


def test_the_small_city_itself_is_right() -> None:
    assert slugs_of(small_city()) == []
    assert slugs_of(collection(lot(), space("KL-001", "s1"))) == []
