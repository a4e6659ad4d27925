"""What a stay costs, a second time: slow, obvious, from a notice's words alone. Pure.

It shares no code with ``billing``, so that two mistakes would have to agree before a wrong fee goes unseen. Every
minute of the stay is visited and asked whether it is charged; nothing is computed at once that can be counted.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

Pricer = Callable[[int, int, ZoneInfo], int]
"""(entered, left, zone) to fen; instants in milliseconds since 1970."""

_MINUTE_MS = 60_000


Changes = Mapping[str, tuple[int, str]]
"""For each tariff whose price changes: from when on, in milliseconds since 1970, and the pricer from then on."""


def slow_fee(
    tariff: str | None, entered_ms: int, left_ms: int, zone: ZoneInfo, changes: Changes = MappingProxyType({})
) -> int | None:
    """The fee in fen of a small car's stay; None for a tariff whose words are not known here.

    A stay is priced by the notice in force when it began, however long it lasts.
    """
    changes_ms, dearer = changes.get(tariff or "", (0, ""))
    pricer = PRICERS.get(dearer if dearer and entered_ms >= changes_ms else tariff or "")
    return None if pricer is None else pricer(entered_ms, left_ms, zone)


def walk_xinchang_kerb(entered_ms: int, left_ms: int, zone: ZoneInfo) -> int:
    """The kerb of Xinchang county, as charged in 2026.

    Charged from 07:30 to 21:00 every day. The stay's time inside is added up over all days and the remainder below a
    minute dropped. Half an hour is free; a longer stay costs 3 yuan for each hour begun, the free half hour included.
    Neither begins again at midnight. There is no cap.
    """
    return _walk_kerb(entered_ms, left_ms, zone, hour_fen=300)


def walk_xinchang_kerb_dearer(entered_ms: int, left_ms: int, zone: ZoneInfo) -> int:
    """The same for 4 yuan an hour: invented, for the scenario in which prices change."""
    return _walk_kerb(entered_ms, left_ms, zone, hour_fen=400)


def _walk_kerb(entered_ms: int, left_ms: int, zone: ZoneInfo, *, hour_fen: int) -> int:
    inside_ms = 0
    for minute_of_day, part_ms in _walk(entered_ms, left_ms, zone):
        if 7 * 60 + 30 <= minute_of_day < 21 * 60:
            inside_ms += part_ms
    minutes = inside_ms // _MINUTE_MS
    if minutes <= 30:  # noqa: PLR2004 - the notice's half hour
        return 0
    fee_fen = 0
    while minutes > 0:
        fee_fen += hour_fen
        minutes -= 60
    return fee_fen


def walk_xinchang_scenic(entered_ms: int, left_ms: int, zone: ZoneInfo) -> int:
    """The scenic area's car park, for a blue plate.

    Half an hour is free. A longer stay costs 10 yuan for each calendar day on which it fills at least a minute.
    """
    stayed_ms = 0
    on_day_ms: list[int] = [0]
    for minute_of_day, part_ms in _walk(entered_ms, left_ms, zone):
        if minute_of_day == 0 and stayed_ms:
            on_day_ms.append(0)
        on_day_ms[-1] += part_ms
        stayed_ms += part_ms
    if stayed_ms // _MINUTE_MS <= 30:  # noqa: PLR2004 - the notice's half hour
        return 0
    return sum(1_000 for one_day_ms in on_day_ms if one_day_ms >= _MINUTE_MS)


PRICERS: Mapping[str, Pricer] = {
    "xinchang-kerb": walk_xinchang_kerb,
    "xinchang-kerb-dearer": walk_xinchang_kerb_dearer,
    "xinchang-scenic": walk_xinchang_scenic,
}
"""By the tariff's code in the city file, and by the notices that scenarios bring."""


def _walk(entered_ms: int, left_ms: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Each minute on the wall that the stay touches: which of the day's 1440 it is, and how much of it is stayed."""
    minute = entered_ms // _MINUTE_MS
    while minute * _MINUTE_MS < left_ms:
        begin_ms = max(entered_ms, minute * _MINUTE_MS)
        end_ms = min(left_ms, (minute + 1) * _MINUTE_MS)
        yield _minute_of_day(minute, zone), end_ms - begin_ms
        minute += 1


def _minute_of_day(minute: int, zone: ZoneInfo) -> int:
    """Clocks are changed at the beginning of a quarter of an hour, so within one the offset does not change."""
    quarter, past = divmod(minute, 15)
    return _quarter_begins(quarter, zone) + past


@lru_cache(maxsize=4096)
def _quarter_begins(quarter: int, zone: ZoneInfo) -> int:
    on_the_wall = datetime.fromtimestamp(quarter * 15 * 60, UTC).astimezone(zone)
    return on_the_wall.hour * 60 + on_the_wall.minute
