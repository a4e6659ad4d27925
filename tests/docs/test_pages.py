"""What the pages say of one another and of the tree: links lead somewhere, named files exist, translations match."""

import json
import re

import pytest

from simulator.cities import demo_city
from tests.docs.reading import ROOT, Page, page, pages

NAMED = re.compile(r"`((?:api|billing|core|deploy|docs|ingest|migrations|ops|simulator|tests|tools|web)/[\w./-]*\w/?)`")
MACHINE_PATH = re.compile(r"(?<![\w~$.])/(?:work|home|root|Users|tmp)/")

every_page = pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)


@every_page
def test_links_lead_somewhere(one: Page) -> None:
    for target in one.links():
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        path = (one.path.parent / file).resolve() if file else one.path
        assert path.exists(), f"{one.name} links to {target}"
        if anchor:
            assert anchor in page(str(path.relative_to(ROOT))).anchors(), f"{one.name} links to {target}"


@every_page
def test_named_files_exist(one: Page) -> None:
    examples = re.compile(r"YYYY|<|\{")
    missing = [name for name in NAMED.findall(one.prose) if not examples.search(name) and not (ROOT / name).exists()]
    assert missing == []


@every_page
def test_no_page_knows_this_machine(one: Page) -> None:
    assert MACHINE_PATH.findall(one.text) == []


def test_every_page_is_in_the_index() -> None:
    listed = {(ROOT / "docs" / target.partition("#")[0]).resolve() for target in page("docs/README.md").links()}
    docs = [one.path for one in pages() if one.path.parent == ROOT / "docs" and one.path.name != "README.md"]
    assert [path.name for path in docs if path not in listed] == [], "link each from docs/README.md"


def test_both_languages_say_the_same() -> None:
    english, chinese = page("README.md"), page("README.zh.md")
    assert [level for level, _ in english.headings()] == [level for level, _ in chinese.headings()]
    assert english.code() == chinese.code()
    assert sorted({*english.links()} - {"README.zh.md"}) == sorted({*chinese.links()} - {"README.md"})
    assert english.text.count("\n| ") == chinese.text.count("\n| ")
    assert english.text.count("\n- ") == chinese.text.count("\n- ")
    steps = re.compile(r"^\*\*\d+\.", re.MULTILINE)
    assert steps.findall(english.text) == steps.findall(chinese.text)


def test_the_picture_is_there() -> None:
    picture = ROOT / "docs" / "images" / "map.png"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_county_is_as_large_as_it_is_said_to_be() -> None:
    kinds = [feature["properties"]["kind"] for feature in json.loads(demo_city())["features"]]
    spaces = f"{kinds.count('space'):,}"
    assert f"of {spaces} occupied" in page("README.md").text
    for name in (
        "README.md",
        "README.zh.md",
        "CHANGELOG.md",
        "docs/decisions/0013-the-demo-city-is-drawn-at-run-time.md",
    ):
        assert spaces.replace(",", " ") in page(name).text.replace("\n", " "), name


def test_decisions_are_numbered_short_and_listed() -> None:
    decisions = [one for one in pages() if re.fullmatch(r"docs/decisions/\d{4}-[a-z-]+\.md", one.name)]
    assert [int(one.path.name[:4]) for one in decisions] == list(range(1, len(decisions) + 1))
    index = page("docs/decisions/README.md")
    for one in decisions:
        assert one.text.startswith(f"# {int(one.path.name[:4])}. "), one.name
        assert len(one.text.splitlines()) < 40, one.name
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in one.text, f"{one.name} has no {part}"
        assert one.path.name in index.links(), one.name
