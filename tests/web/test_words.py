"""The catalogues: every text used is there, every text there is used, both languages complete."""

import re
from pathlib import Path

import web

JS = Path(web.__file__).parent / "static/js"
ENTRY = re.compile(
    r'^  "([a-z0-9_.-]+)": \[\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*"),?\s*\],$', re.MULTILINE | re.IGNORECASE
)
WORDS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(JS.rglob("words.js")))
CATALOGUE = {key: (zh, en) for key, zh, en in ENTRY.findall(WORDS)}
SOURCES = {path: path.read_text(encoding="utf-8") for path in JS.rglob("*.js") if path.name != "words.js"}


def test_the_catalogue_is_read_whole() -> None:
    assert len(CATALOGUE) == len(re.findall(r'^  "[\w.-]+": \[', WORDS, re.MULTILINE))
    assert len(CATALOGUE) > 80


def test_every_text_is_in_both_languages_with_the_same_places_to_fill() -> None:
    for key, (zh, en) in CATALOGUE.items():
        assert len(zh) > 2, key
        assert len(en) > 2, key
        assert sorted(re.findall(r"\{\w+\}", zh)) == sorted(re.findall(r"\{\w+\}", en)), key


def test_every_text_that_is_asked_for_is_there() -> None:
    asked = {key for text in SOURCES.values() for key in re.findall(r'\bt\(\s*"([\w.-]+)"', text)}
    assert asked - CATALOGUE.keys() == set()


def test_no_text_is_left_over() -> None:
    everything = "\n".join(SOURCES.values())
    families = set(re.findall(r"[`\"]([\w.]+\.)\$\{", everything))
    unused = [
        key
        for key in CATALOGUE
        if f'"{key}"' not in everything and not any(key.startswith(family) for family in families)
    ]
    assert unused == []


def test_no_page_text_is_written_outside_the_catalogue() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    allowed = {"i18n.js", "hours.js"}  # units and weekdays, which are words of formats
    strays = {
        path.name: line
        for path, text in SOURCES.items()
        if path.name not in allowed
        for line in text.splitlines()
        if han.search(line) and not re.match(r"\s*(/?\*|//)", line) and "中" not in line and "PingFang" not in line
    }
    assert strays == {}
