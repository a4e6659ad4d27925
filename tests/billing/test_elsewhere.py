"""Notices of other places and invented ones: each written as data and priced as a person would, without new code."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.pricing import price_stay, price_total
from billing.tariff import Tariff, load_tariff
from billing.tariff.check import check
from billing.tariff.table import table
from core.stay import Stay, VehicleClass

ELSEWHERE = sorted((Path(__file__).parent.parent / "elsewhere").glob("*.json"))


def documents() -> list[Any]:
    return [
        pytest.param(document["tariff"], case, id=f"{path.stem}: {case['why']}")
        for path in ELSEWHERE
        for document in [json.loads(path.read_bytes())]
        for case in document["cases"]
    ]


def loaded(document: dict[str, Any]) -> Tariff:
    return load_tariff(json.dumps(document).encode())


def stay(tariff: Tariff, of: dict[str, str]) -> Stay:
    entry, leave = (datetime.fromisoformat(of[key]).replace(tzinfo=tariff.zone) for key in ("entry", "exit"))
    return Stay(entered_at=entry, left_at=leave)


@pytest.mark.parametrize(("document", "case"), documents())
def test_a_notice_from_elsewhere_is_data_too(document: dict[str, Any], case: dict[str, Any]) -> None:
    tariff = loaded(document)
    history = [stay(tariff, earlier) for earlier in case.get("history", ())]
    vehicle = VehicleClass(case["vehicle"])
    bill = price_stay(tariff, stay(tariff, case), zone=tariff.zone, vehicle=vehicle, history=history)
    assert bill.total_fen == case["fee"] == sum(line.amount_fen for line in bill.lines)


def test_a_currency_without_hundredths_is_told_in_whole_units() -> None:
    document = json.loads((ELSEWHERE[0].parent / "tokyo-style-20.json").read_bytes())["tariff"]
    assert "every day 08:00-20:00: JPY 200/20 min" in loaded(document).summary("en")


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: path.stem)
def test_a_notice_from_elsewhere_may_be_published(path: Path) -> None:
    document = json.loads(path.read_bytes())["tariff"]
    tariff = loaded(document)
    assert not check(tariff.document)
    board = table(tariff)
    for section in board.sections:
        arrival = datetime.combine(section.on, time(section.arrival // 60, section.arrival % 60), tzinfo=tariff.zone)
        for example in section.examples:
            entered_at = arrival.astimezone(UTC)
            shown = Stay(entered_at=entered_at, left_at=entered_at + timedelta(minutes=example.minutes))
            for vehicle, fee in zip(board.vehicles, example.fees, strict=True):
                assert fee == price_total(tariff, shown, zone=tariff.zone, vehicle=vehicle)
