"""When vehicles come and how long they stay, by kind of place: invented figures of a believable size. Pure.

A rhythm gives for every hour of the week how many vehicles an hour a *free* space attracts, and from what mixture of
log-normal lengths a stay beginning at that hour is drawn. With arrivals ``a`` and mean stay ``s`` hours a space is
taken ``a * s / (1 + a * s)`` of the time.
"""

import math
from dataclasses import dataclass
from itertools import accumulate

HOURS_OF_WEEK = 168
"""Hour 0 begins on Monday at midnight."""

_Hours = tuple[float, ...]
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StayLength:
    """One part of a mixture: log-normal, by its median."""

    share: float
    median_minutes: float
    sigma: float
    """Deviation of the logarithm: two stays in three lie within ``median * e**±sigma``."""


Mixture = tuple[tuple[float, float, float], ...]
"""(share of this part and those before it, logarithm of the median in ms, sigma)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """One kind of place."""

    name: str
    arrivals: _Hours
    """Vehicles an hour for a free space, for each of the 168 hours of a week."""
    stays: tuple[Mixture, ...]
    """For each of the 24 hours of a day."""
    quiet_hour: int
    """The local hour in which the fewest stays are under way."""

    def __post_init__(self) -> None:
        """Refuse a week with a missing hour, or one in which nobody ever comes."""
        if len(self.arrivals) != HOURS_OF_WEEK or len(self.stays) != 24 or sum(self.arrivals) <= 0:  # noqa: PLR2004 - a day
            raise ValueError(f"rhythm {self.name!r} does not cover a week")


def rhythm_of(*, lot_kind: str, names: str, chance: float) -> Rhythm:
    """The rhythm of a space by its lot's kind and names; ``chance`` in [0, 1) spreads neighbours over two.

    A city file says nothing about the life of a place, so the words of its name decide: a school, a station, a scenic
    area, homes. Any other kerb is by shops (one space in four with people who live there), any other car park is one
    of offices and errands.
    """
    words = names.lower()
    for marks, rhythm in _BY_NAME:
        if any(mark in words for mark in marks):
            return rhythm
    if lot_kind == "on_street":
        return RESIDENTS if chance < _RESIDENTS_AT_THE_KERB else SHOPS
    return CAR_PARK


def _week(workday: _Hours, weekend: _Hours) -> _Hours:
    return workday * 5 + weekend * 2


def _mixture(*parts: StayLength) -> Mixture:
    upto = accumulate(part.share for part in parts)
    return tuple(
        (share, math.log(part.median_minutes * _MINUTE_MS), part.sigma) for share, part in zip(upto, parts, strict=True)
    )


def _by_hour(day: Mixture, evening: Mixture, *, evening_from: int) -> tuple[Mixture, ...]:
    return tuple(evening if hour >= evening_from or hour < _MORNING else day for hour in range(24))


_MORNING = 5
_RESIDENTS_AT_THE_KERB = 0.25

_OVERNIGHT = StayLength(share=0.25, median_minutes=600, sigma=0.2)
_ERRANDS = _mixture(
    StayLength(share=0.45, median_minutes=12, sigma=0.6),
    StayLength(share=0.40, median_minutes=45, sigma=0.6),
    StayLength(share=0.12, median_minutes=120, sigma=0.5),
    StayLength(share=0.03, median_minutes=300, sigma=0.4),
)
_EVENING_OUT = _mixture(
    StayLength(share=0.50, median_minutes=40, sigma=0.6),
    StayLength(share=0.25, median_minutes=110, sigma=0.4),
    _OVERNIGHT,
)

SHOPS = Rhythm(
    name="shops",
    arrivals=_week(
        (.05, .03, .02, .02, .03, .08, .3, .9, 1.6, 2.2, 2.4, 2.2,
         1.6, 1.6, 2.0, 2.1, 2.2, 2.4, 2.0, 1.6, 1.0, .5, .25, .1),
        (.08, .05, .03, .02, .03, .05, .2, .5, 1.1, 2.0, 2.8, 2.8,
         2.2, 2.2, 2.6, 2.8, 2.8, 2.6, 2.4, 2.2, 1.5, .8, .4, .2),
    ),
    stays=_by_hour(_ERRANDS, _EVENING_OUT, evening_from=18),
    quiet_hour=4,
)  # fmt: skip
RESIDENTS = Rhythm(
    name="residents",
    arrivals=_week(
        (.1, .05, .03, .02, .02, .03, .1, .2, .3, .35, .4, .5,
         .6, .4, .3, .4, .8, 1.6, 1.8, 1.5, 1.2, .9, .6, .3),
        (.2, .1, .05, .03, .02, .03, .1, .2, .3, .5, .6, .8,
         .8, .6, .6, .7, .9, 1.3, 1.5, 1.4, 1.2, 1.0, .7, .4),
    ),
    stays=_by_hour(
        _mixture(
            StayLength(share=0.55, median_minutes=50, sigma=0.7),
            StayLength(share=0.40, median_minutes=170, sigma=0.5),
            StayLength(share=0.05, median_minutes=1500, sigma=0.3),
        ),
        _mixture(
            StayLength(share=0.25, median_minutes=70, sigma=0.6),
            StayLength(share=0.72, median_minutes=720, sigma=0.18),
            StayLength(share=0.03, median_minutes=2000, sigma=0.25),
        ),
        evening_from=16,
    ),
    quiet_hour=13,
)  # fmt: skip
STATION = Rhythm(
    name="station",
    arrivals=_week(
        (.3, .2, .1, .1, .3, .9, 1.8, 2.6, 2.8, 2.4, 2.2, 2.0,
         1.8, 1.8, 2.0, 2.2, 2.6, 3.0, 2.8, 2.2, 1.8, 1.4, 1.0, .6),
        (.4, .2, .1, .1, .3, .7, 1.5, 2.2, 2.6, 2.8, 2.6, 2.4,
         2.2, 2.2, 2.4, 2.6, 3.0, 3.2, 3.0, 2.6, 2.0, 1.6, 1.2, .7),
    ),
    stays=_by_hour(
        _mixture(
            StayLength(share=0.70, median_minutes=9, sigma=0.5),
            StayLength(share=0.18, median_minutes=35, sigma=0.5),
            StayLength(share=0.12, median_minutes=540, sigma=0.4),
        ),
        _mixture(
            StayLength(share=0.80, median_minutes=10, sigma=0.5),
            StayLength(share=0.08, median_minutes=40, sigma=0.5),
            StayLength(share=0.12, median_minutes=700, sigma=0.4),
        ),
        evening_from=18,
    ),
    quiet_hour=3,
)  # fmt: skip
SCHOOL = Rhythm(
    name="school",
    arrivals=_week(
        (.01, .01, .01, .01, .01, .1, 1.2, 5.0, 1.5, .4, .3, .6,
         .5, .5, .4, .8, 4.5, 2.0, .8, .5, .3, .2, .1, .05),
        (.02, .01, .01, .01, .01, .02, .1, .3, .7, .8, .8, .7,
         .6, .6, .7, .7, .7, .7, .7, .6, .4, .2, .1, .05),
    ),
    stays=_by_hour(
        _mixture(
            StayLength(share=0.66, median_minutes=11, sigma=0.5),
            StayLength(share=0.09, median_minutes=70, sigma=0.5),
            StayLength(share=0.25, median_minutes=520, sigma=0.12),
        ),
        _mixture(
            StayLength(share=0.60, median_minutes=80, sigma=0.4),
            StayLength(share=0.40, median_minutes=600, sigma=0.2),
        ),
        evening_from=18,
    ),
    quiet_hour=3,
)  # fmt: skip
SCENIC = Rhythm(
    name="scenic",
    arrivals=_week(
        (.01, .01, .01, .01, .01, .05, .2, .4, .8, 1.0, 1.0, .8,
         .6, .7, .7, .5, .3, .3, .3, .2, .1, .05, .02, .01),
        (.01, .01, .01, .01, .02, .1, .5, 1.2, 2.4, 3.4, 3.2, 2.4,
         1.8, 2.0, 2.0, 1.4, .8, .5, .4, .3, .2, .1, .05, .02),
    ),
    stays=_by_hour(
        _mixture(
            StayLength(share=0.20, median_minutes=40, sigma=0.4),
            StayLength(share=0.65, median_minutes=160, sigma=0.35),
            StayLength(share=0.15, median_minutes=300, sigma=0.25),
        ),
        _mixture(
            StayLength(share=0.80, median_minutes=60, sigma=0.4),
            StayLength(share=0.20, median_minutes=660, sigma=0.2),
        ),
        evening_from=17,
    ),
    quiet_hour=4,
)  # fmt: skip
CAR_PARK = Rhythm(
    name="car_park",
    arrivals=_week(
        (.05, .03, .02, .02, .03, .1, .4, 1.2, 2.0, 1.8, 1.5, 1.2,
         1.0, 1.3, 1.5, 1.3, 1.0, 1.0, 1.0, .8, .5, .3, .15, .08),
        (.08, .05, .03, .02, .03, .05, .2, .4, .9, 1.4, 1.7, 1.6,
         1.4, 1.5, 1.7, 1.6, 1.4, 1.3, 1.3, 1.1, .8, .5, .25, .12),
    ),
    stays=_by_hour(
        _mixture(
            StayLength(share=0.25, median_minutes=25, sigma=0.5),
            StayLength(share=0.50, median_minutes=80, sigma=0.5),
            StayLength(share=0.25, median_minutes=480, sigma=0.25),
        ),
        _EVENING_OUT,
        evening_from=18,
    ),
    quiet_hour=4,
)  # fmt: skip

RHYTHMS = (SHOPS, RESIDENTS, STATION, SCHOOL, SCENIC, CAR_PARK)

_BY_NAME: tuple[tuple[tuple[str, ...], Rhythm], ...] = (
    (("学校", "小学", "中学", "学院", "school"), SCHOOL),
    (("车站", "客运", "高铁", "站前", "station"), STATION),
    (("景区", "风景", "十九峰", "scenic"), SCENIC),
    (("小区", "新村", "花园", "residential", "homes"), RESIDENTS),
)
