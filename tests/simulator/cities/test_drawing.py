"""Drawing from descriptions: what a writer of one gets told, and the plain grid for measurements."""

import shutil
from pathlib import Path

import pytest

from core.city import parse_city
from core.errors import InvalidError
from simulator.cities import DEMO_CITY, draw_city, grid_city, grid_features
from simulator.cities.plane import Plane

VILLAGE = """
[city]
name = "小村"
centre = [120.892, 29.506]
outline = "data/xinchang_county.geojson"
attribution = "示范"

[defaults]
tariff = "xinchang-kerb"

[town]
outline = [[120.888, 29.502], [120.896, 29.502], [120.896, 29.510], [120.888, 29.510]]

[[streets]]
id = "main"
name = "大街"
line = [[120.888, 29.506], [120.896, 29.506]]

[[kerbs]]
code = "DJ"
name = "大街（虚构）"
name_en = "Main Street (invented)"
near = [120.892, 29.506]
spaces = 20
"""


@pytest.fixture
def village(tmp_path: Path) -> Path:
    shutil.copytree(DEMO_CITY.parent / "data", tmp_path / "data")
    path = tmp_path / "village.toml"
    path.write_text(VILLAGE, encoding="utf-8")
    return path


def reworded(path: Path, old: str, new: str) -> Path:
    words = path.read_text(encoding="utf-8")
    assert old in words
    path.write_text(words.replace(old, new), encoding="utf-8")
    return path


def test_another_city_is_a_few_lines(village: Path) -> None:
    parsed = parse_city(draw_city(village))
    assert (parsed.errors, parsed.warnings) == ((), ())
    assert parsed.city is not None
    assert [space.code for space in parsed.city.spaces][:2] == ["DJ-001", "DJ-002"]
    assert len(parsed.city.spaces) == 20


@pytest.mark.parametrize("angle", [0, 45, 60, 90])
@pytest.mark.parametrize("side", ["right", "left", "both"])
def test_spaces_lie_beside_the_carriageway_at_every_angle(village: Path, angle: int, side: str) -> None:
    drawn = draw_city(reworded(village, "spaces = 20", f'spaces = 20\nangle = {angle}\nside = "{side}"'))
    plane = Plane(120.892, 29.506)
    norths = [
        plane.point(lon, lat)[1]
        for feature in drawn["features"]
        if feature["properties"]["kind"] == "space"
        for lon, lat in feature["geometry"]["coordinates"][0]
    ]
    assert min(abs(north) for north in norths) > 4.9
    assert max(abs(north) for north in norths) < 12
    assert {north > 0 for north in norths} == {"right": {False}, "left": {True}, "both": {True, False}}[side]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("spaces = 20", "spaces = 2000", "only"),
        ("spaces = 20", "space = 20", "is it spaces?"),
        ("line = [[120.888, 29.506], [120.896, 29.506]]", "line = [[120.888, 29.506]]", "streets.0.line"),
        ("near = [120.892, 29.506]", 'near = [120.892, 29.506]\nstreet = "side"', "no street side"),
        ("near = [120.892, 29.506]", "near = [120.992, 29.506]", "no street within"),
        ("near = [120.892, 29.506]", "near = [29.506, 120.892]", "kerbs.0.near.1"),
        ("data/xinchang_county.geojson", "data/missing.geojson", "missing.geojson cannot be read"),
        ("[city]", "[city", "cannot be read"),
    ],
)
def test_a_mistake_in_a_description_is_named(village: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(InvalidError) as refused:
        draw_city(reworded(village, old, new))
    assert told in refused.value.message


def test_a_car_park_on_a_street_is_refused(village: Path) -> None:
    car_park = '\n[[car_parks]]\ncode = "CP"\nname = "x"\nname_en = "x"\nat = [120.893, 29.506]\nspaces = 40\n'
    with pytest.raises(InvalidError, match="CP stands on the street 大街"):
        draw_city(reworded(village, "spaces = 20\n", f"spaces = 20\n{car_park}"))


def test_a_plain_grid_has_as_many_spaces_as_asked() -> None:
    parsed = parse_city(grid_city(2_310))
    assert (parsed.errors, parsed.warnings) == ((), ())
    assert parsed.city is not None
    assert len(parsed.city.spaces) == 2_310
    assert len(parsed.city.lots) == 47


def test_a_plain_grid_is_its_seed_s() -> None:
    assert list(grid_features(200, seed=3)) == list(grid_features(200, seed=3))
    assert list(grid_features(200, seed=3)) != list(grid_features(200, seed=4))
