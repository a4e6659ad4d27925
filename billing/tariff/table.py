"""The worked examples that a notice board would show, priced by the engine itself. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from billing.calendar import Calendar, seeded
from billing.engine.timeline import DAY_MINUTES
from billing.phrases import Lang, said
from billing.pricing import price_stay
from billing.tariff.check import FIRST_DAY, kinds_of_day
from billing.tariff.days import WEEKDAYS
from billing.tariff.model import Rate, Tariff
from billing.tariff.words import days_text
from core.money import Fen
from core.stay import Stay, VehicleClass

LENGTHS: Final = (15, 30, 31, 45, 60, 61, 90, 120, 180, 240, 300, 480, 720, 1440, 2880)
"""Minutes: around the usual free times and first hours, then whole days."""
MORNING: Final = 9 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What one stay costs each class."""

    minutes: int
    fees: tuple[Fen, ...]
    """In the order of ``Table.vehicles``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Examples that arrive at one time on one kind of day."""

    on: date
    days: tuple[str, ...]
    """The notice's words for such a day."""
    arrival: int
    """Minutes after midnight on the wall."""
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The board."""

    tariff: Tariff
    vehicles: tuple[VehicleClass, ...]
    sections: tuple[Section, ...]


def table(tariff: Tariff, calendar: Calendar | None = None) -> Table:
    """Examples for each kind of day: arrivals at nine, and where a window opens at another time of day."""
    calendar = calendar or seeded()
    vehicles = tuple(tariff.rates)
    first = tariff.valid_from or FIRST_DAY.replace(year=FIRST_DAY.year + 1)
    kinds: dict[tuple[str, ...], date] = {}
    for rate in tariff.rates.values():
        for words, on in kinds_of_day(rate, calendar, first).items():
            kinds.setdefault(words, on)
    if len(kinds) > 1:
        kinds.pop(("all",), None)
    sections = [
        Section(on=on, days=words, arrival=minute, examples=_examples(tariff, vehicles, calendar, on, minute))
        for words, on in kinds.items()
        for minute in _arrivals(tariff.rates[tariff.default_class])
    ]
    return Table(tariff=tariff, vehicles=vehicles, sections=tuple(sections))


def section_title(board: Table, section: Section, lang: Lang) -> str:
    """On what kind of day, with an example of one, and from when."""
    document = board.tariff.document
    days = " · ".join(days_text(document, word, lang) for word in section.days)
    weekday = days_text(document, WEEKDAYS[section.on.weekday()], lang)
    arrive = f"{section.arrival // 60:02d}:{section.arrival % 60:02d}"
    zh = f"{days}（如 {section.on} {weekday}），{arrive} 到达"
    return said((zh, f"{days} (such as {weekday} {section.on}), from {arrive}"), lang)


def _arrivals(rate: Rate) -> list[int]:
    """Nine in the morning, and the opening of each window that is elsewhere in the day."""
    opens = {window.opens for window in rate.windows if not rate.bands[window.band].free and window.opens}
    early = {window.opens for flat in rate.flats for window in flat.arrives if window.opens < DAY_MINUTES}
    return sorted({MORNING} | early | {minute for minute in opens if minute >= MORNING + 4 * 60})


def _examples(
    tariff: Tariff, vehicles: tuple[VehicleClass, ...], calendar: Calendar, on: date, minute: int
) -> tuple[Example, ...]:
    zone = tariff.zone
    arrival = datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=zone).astimezone(UTC)
    rows = []
    for length in LENGTHS:
        stay = Stay(entered_at=arrival, left_at=arrival + timedelta(minutes=length))
        bills = [price_stay(tariff, stay, zone=zone, vehicle=word, calendar=calendar) for word in vehicles]
        rows.append(Example(minutes=length, fees=tuple(bill.total_fen for bill in bills)))
    return tuple(rows)
