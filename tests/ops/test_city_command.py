"""`parking city` as a person meets it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.city import Slug
from core.city.features import PROPERTIES
from ops.commands.city import app
from simulator.cities import DEMO_CITY
from tests.support.cities import small_city

DOCS = Path(__file__).parents[2] / "docs" / "city-file.md"

run = CliRunner().invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "city.geojson"
    path.write_text(json.dumps(small_city()), encoding="utf-8")
    return path


def test_the_shipped_city_is_drawn_by_name_and_by_path() -> None:
    by_name, by_path = run(app, ["draw", "xinchang"]), run(app, ["draw", str(DEMO_CITY)])
    assert by_name.exit_code == 0
    assert json.loads(by_name.stdout)["type"] == "FeatureCollection"
    assert by_name.stdout == by_path.stdout


def test_a_picture_is_written_where_it_is_wished(tmp_path: Path) -> None:
    answer = run(app, ["draw", "--svg", "--grids", "--out", str(tmp_path / "city.svg")])
    assert answer.exit_code == 0
    assert "2380 spaces" in answer.stderr
    assert (tmp_path / "city.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_a_right_file_is_told_so(file: Path) -> None:
    answer = run(app, ["check", str(file)])
    assert answer.exit_code == 0
    assert "2 lots, 3 spaces, 2 areas" in answer.stdout


def test_a_wrong_file_names_place_reason_and_cure(file: Path) -> None:
    city = small_city()
    city["features"][5]["properties"]["lot"] = "kl1"
    file.write_text(json.dumps(city), encoding="utf-8")
    answer = run(app, ["check", str(file)])
    assert answer.exit_code == 1
    assert "features[5], space KL-001: there is no lot kl1 in this file [missing-lot]" in answer.stderr
    assert "Is it KL?" in answer.stderr


def test_of_many_problems_the_first_are_shown(file: Path) -> None:
    city = small_city()
    city["features"] = [{"type": "Feature"}] * 60
    file.write_text(json.dumps(city), encoding="utf-8")
    few, every = run(app, ["check", str(file)]), run(app, ["check", str(file), "--all"])
    assert few.stderr.count("[not-a-feature]") == 50
    assert "and 10 more" in few.stderr
    assert every.stderr.count("[not-a-feature]") == 60


def test_what_looks_like_markup_is_shown_as_it_is(file: Path) -> None:
    file.write_text('{"type": "[bold]"', encoding="utf-8")
    assert "line 1, column 18" in run(app, ["check", str(file)]).stderr


def test_every_problem_and_property_is_documented() -> None:
    words = DOCS.read_text(encoding="utf-8")
    for name in {*Slug, *PROPERTIES, *(name for names in PROPERTIES.values() for name in names)}:
        assert f"`{name}`" in words, name
