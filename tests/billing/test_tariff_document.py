"""A notice as a document: its published schema, and what is refused with which words."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from billing.notices import read, shipped
from billing.phrases import Lang
from billing.schema import current, published
from billing.tariff import load_tariff
from billing.tariff.document import TariffDocument
from billing.tariff.read import TariffInvalidError
from core.errors import TariffNotFoundError
from tests.support.tariffs import shipped_tariff

Change = Callable[[dict[str, Any]], object]


def kerb(change: Change = lambda _: None) -> bytes:
    document = json.loads(read("xinchang-kerb"))
    change(document)
    return json.dumps(document).encode()


def band(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["plans"]["kerb"]["bands"][0]
    return found


def test_the_published_schema_is_the_one_the_code_reads() -> None:
    assert published() == current(), "run python -m billing.schema"


@pytest.mark.parametrize("notice", shipped())
def test_a_shipped_notice_fits_the_schema_and_names_itself(notice: str) -> None:
    document = json.loads(read(notice))
    jsonschema.validate(document, published())
    assert document["code"] == notice
    assert document["notice"]["source"]


@pytest.mark.parametrize("notice", shipped())
def test_every_shipped_notice_is_told_in_both_languages(notice: str) -> None:
    tariff = shipped_tariff(notice)
    for lang in ("zh", "en"):
        assert tariff.summary(lang)
        assert tariff.price_summary(lang)


@pytest.mark.parametrize(
    ("notice", "lang", "sentence"),
    [
        ("us-frederick-md-garage", "en", "every day 15:30-06:30: at most $5.00 a window"),
        ("us-frederick-md-garage", "zh", "每天 15:30-06:30：每个时段最高 $5.00"),
        ("au-wilson-westpoint-reentry", "en", "back within 1 hour: counted from the first arrival"),
        ("au-wilson-westpoint-reentry--sixty-is-new", "zh", "离开不足 1 小时又返回：自首次到达起计"),
        ("cn-hb-suizhou-1--cap-adds-stays", "en", "at most ¥20.00 a day, all stays of a vehicle together"),
    ],
)
def test_what_a_rule_is_for_is_told_with_it(notice: str, lang: Lang, sentence: str) -> None:
    assert sentence in shipped_tariff(notice).summary(lang)


def test_every_field_of_the_schema_says_what_it_means() -> None:
    for name, part in TariffDocument.model_json_schema()["$defs"].items():
        assert part.get("description"), name


REFUSALS: list[tuple[str, Change, str]] = [
    ("an unknown field", lambda d: d["plans"]["kerb"].update(roundings={}), "did you mean 'rounding'?"),
    ("an unknown field in a list", lambda d: band(d)["tiers"][0].update(unit_mins=60), "did you mean 'unit_min'?"),
    (
        "a word that nearly fits",
        lambda d: d.update(seconds="drop_from_durations"),
        "did you mean 'drop_from_duration'?",
    ),
    ("half a fen", lambda d: band(d)["tiers"][0].update(price_fen=0.5), "whole fen"),
    ("a negative price", lambda d: band(d)["tiers"][0].update(price_fen=-1), "greater than or equal to 0"),
    ("no price", lambda d: band(d)["tiers"][0].pop("price_fen"), "this field is needed"),
    ("a gap between tiers", lambda d: band(d).update(tiers=tiers(60, 90)), "gap: the tier begins at minute 90"),
    ("tiers that overlap", lambda d: band(d).update(tiers=tiers(60, 30)), "overlap: the tier begins at minute 30"),
    ("nothing beyond an hour", lambda d: band(d).update(tiers=tiers(60, 90)[:1]), "nothing is said beyond minute 60"),
    ("a tier after the last", lambda d: band(d)["tiers"].append(tiers(60, 90)[1]), "only the last tier has no end"),
    ("a unit longer than its tier", lambda d: band(d).update(tiers=tiers(60, 60, unit=61)), "does not fit"),
    ("a class without a plan", lambda d: d["classes"].update(small={"plan": "curb"}), "there is no plan 'curb'"),
    ("a default class without a price", lambda d: d.update(default_class="smal"), "did you mean 'small'?"),
    ("a class that pays and does not", lambda d: d.update(exempt=["large"]), "which?"),
    ("days that nobody knows", lambda d: band(d)["windows"][0].update(days=["wokday"]), "did you mean 'workday'?"),
    ("a time that no clock shows", lambda d: band(d)["windows"][0].update(opens="7:30"), "opens"),
    ("a zone that is none", lambda d: d.update(zone="Asia/Xinchang"), "no time zone"),
    (
        "rounding that is not last",
        lambda d: d.update(order=["rounding", "cap", "class", "reduction", "coupon"]),
        "last",
    ),
    ("an order without a step", lambda d: d.update(order=["class", "cap", "rounding"]), "'reduction' is missing"),
    (
        "an end before the beginning",
        lambda d: d.update(valid_from="2026-02-01", valid_until="2026-02-01"),
        "ends at or",
    ),
    ("a cap on no band", lambda d: d["plans"]["kerb"].update(caps=[cap(bands=["payd"])]), "did you mean 'paid'?"),
    ("two rules of one name", lambda d: d["plans"]["kerb"].update(caps=[cap(name="paid")]), "2 rules are named 'paid'"),
    ("a plan nobody pays by", lambda d: d["plans"].update(other=d["plans"]["kerb"]), "which plan?"),
    ("a price by time without a step", lambda d: band(d)["tiers"][0].update(unit_min=None, per_min=60), "unit_min"),
    (
        "a tail as long as the unit",
        lambda d: band(d)["tiers"][0].update(rounding={"ignore_tail_min": 60}),
        "nothing is",
    ),
    ("a time in digits of another script", lambda d: band(d)["windows"][0].update(opens="0\uff18:00"), "opens"),
    ("a day without its hyphens", lambda d: d.update(valid_from="20260301"), "a day is written like 2026-03-10"),
    ("a day that nobody sees", lambda d: d.update(valid_from="9999-12-31"), "no notice comes into force"),
    ("a day as a number", lambda d: d.update(valid_from=0), "valid_from"),
    ("a word for yes", lambda d: d.update(calendar={"official": "no"}), "calendar.official"),
    ("a version that no table holds", lambda d: d.update(version=10**30), "version"),
    ("a text that no database keeps", lambda d: d["notice"].update(source="a\0b"), "U+0000"),
    ("half a character", lambda d: d["notice"].update(source="\ud800"), "this is no JSON document"),
]


def tiers(first_to: int, second_from: int, *, unit: int = 30) -> list[dict[str, int]]:
    return [
        {"from_min": 0, "to_min": first_to, "unit_min": unit, "price_fen": 100},
        {"from_min": second_from, "unit_min": 30, "price_fen": 100},
    ]


def cap(**fields: object) -> dict[str, object]:
    return {"amount_fen": 2000, "per": "calendar_day", **fields}


@pytest.mark.parametrize(("change", "words"), [pytest.param(c, w, id=name) for name, c, w in REFUSALS])
def test_a_document_that_cannot_be_right_is_refused_with_the_reason(change: Change, words: str) -> None:
    with pytest.raises(TariffInvalidError) as refused:
        load_tariff(kerb(change))
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda d: band(d)["tiers"][0].update(price_fen=-1), ["plans.kerb.bands.0.tiers.0.price_fen"]),
        (lambda d: d["plans"]["kerb"].update(bands=[]), ["plans.kerb.bands"]),
        (lambda d: d["notice"].update(source=["x" * 1000]), ["notice.source"]),
        (lambda d: d.update({"x" * 1000: 1}), ["x" * 80 + "..."]),
    ],
)
def test_a_mistake_is_one_short_line_where_it_was_made(change: Change, at: list[str]) -> None:
    with pytest.raises(TariffInvalidError) as refused:
        load_tariff(kerb(change))
    assert [problem.at for problem in refused.value.problems] == at
    assert len(refused.value.message) < 500
    assert "\n" not in refused.value.message


def test_every_problem_is_named_at_once() -> None:
    def two_mistakes(document: dict[str, Any]) -> None:
        document["default_class"] = "tiny"
        band(document)["tiers"] = tiers(60, 90)

    with pytest.raises(TariffInvalidError) as refused:
        load_tariff(kerb(two_mistakes))
    assert [problem.at for problem in refused.value.problems] == ["default_class", "plans.kerb.bands.0.tiers.1"]
    assert all(problem.shows for problem in refused.value.problems)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"code": "a", "code": "b"}', b"\xff\xfe", b'{"a": NaN}'])
def test_bytes_that_are_no_document_are_refused(text: bytes) -> None:
    with pytest.raises(TariffInvalidError):
        load_tariff(text)


def test_a_notice_that_does_not_ship_is_not_found() -> None:
    with pytest.raises(TariffNotFoundError, match="xinchang-kerb"):
        read("xinchang-curb")
