"""Shipped tariffs, priced cases and random stays for the tests of pricing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from billing.notices import read
from billing.tariff import Tariff, load_tariff
from core.stay import Stay, VehicleClass

CASES = Path(__file__).parent.parent / "cases"


@cache
def shipped_tariff(notice: str) -> Tariff:
    return load_tariff(read(notice))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A priced stay of a notice, or of a variant of it."""

    notice: str
    stay: Stay
    vehicle: VehicleClass
    history: tuple[Stay, ...]
    fee_fen: int
    basis: str
    why: str

    def __str__(self) -> str:
        return f"{self.notice} {self.stay.entered_at:%m-%d %H:%M} {self.vehicle}: {self.why}"


def cases() -> Iterator[Case]:
    """Every case under ``tests/cases``, and for each other reading the variant that reaches it."""
    for path in sorted(CASES.rglob("*.json")):
        document = json.loads(path.read_bytes())
        for case in document["cases"]:
            variant = f"--{case['variant']}" if "variant" in case else ""
            if case["fee"] is not None:
                yield _case(case, document["notice"] + variant, case["fee"], case["why"])
            for other in case.get("alternatives", []):
                reached = f"{document['notice']}--{other['variant']}" if "variant" in other else document["notice"]
                yield _case(case, reached, other["fee"], other["reading"])


def _case(case: dict[str, Any], notice: str, fee_fen: int, why: str) -> Case:
    zone = shipped_tariff(notice).zone

    def stay(of: dict[str, str]) -> Stay:
        entry, leave = (datetime.fromisoformat(of[key]) for key in ("entry", "exit"))
        return Stay(
            entered_at=entry if entry.tzinfo else entry.replace(tzinfo=zone),
            left_at=leave if leave.tzinfo else leave.replace(tzinfo=zone),
        )

    return Case(
        notice=notice,
        stay=stay(case),
        vehicle=VehicleClass(case.get("vehicle", "small")),
        history=tuple(stay(earlier) for earlier in case.get("history", ())),
        fee_fen=fee_fen,
        basis=case["basis"],
        why=why,
    )


YEAR_FIRST = datetime(2025, 12, 20, tzinfo=UTC)
YEAR_MINUTES = 370 * 24 * 60

lengths = st.one_of(
    st.integers(0, 3 * 3600), st.integers(0, 26 * 3600), st.integers(0, 80 * 3600), st.just(24 * 3600)
).map(lambda seconds: timedelta(seconds=seconds))
"""How long stays last: mostly short, some for days."""


def stays(*, whole_minutes: bool = True) -> st.SearchStrategy[Stay]:
    """Stays in and around 2026; arrivals on whole minutes, or at any millisecond."""
    unit = timedelta(minutes=1) if whole_minutes else timedelta(milliseconds=1)
    last = YEAR_MINUTES if whole_minutes else YEAR_MINUTES * 60_000
    arrivals = st.integers(0, last).map(lambda count: YEAR_FIRST + count * unit)
    return st.builds(lambda at, length: Stay(entered_at=at, left_at=at + length), arrivals, lengths)
