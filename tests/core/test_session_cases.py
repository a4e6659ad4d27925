"""What readings become, case by case: worked out by hand from the rules, before any of it was run.

A reading is written ``Oc100`` (occupied, a change, 100 s) or ``Fh12.5/b1s2/B`` (free, a heartbeat, boot 1, seq 2, of
sensor B); kinds are change, heartbeat, boot and report. A session is ``0-100``, ``0-`` while open, ``0-100!`` unsure.
The limits are those of a lot that names none, and a sensor that speaks every hour.
"""

import re
from itertools import islice, permutations

import pytest

from core.occupancy import ABSENT, Kind, Reading
from core.session import FoldRules, fold

CASES = {
    "two changes": ("Oc0 Fc100", "0-100"),
    "an arrival told by a heartbeat": ("Oh0 Fc100", "0-100!"),
    "an arrival told by a start": ("Ob0 Fc100", "0-100!"),
    "a departure that was lost": ("Oc0 Oh50 Fh100", "0-50!"),
    "a departure that was lost right after the arrival": ("Oc0 Fh100", ""),
    "both lost": ("Oh0 Oh70 Fh100", "0-70!"),
    "a start that says free": ("Oc0 Oh60 Fb100", "0-60!"),
    "a second arrival": ("Oc0 Oc50 Fc100", "50-100"),
    "a second arrival after a heartbeat": ("Oc0 Oh40 Oc100 Fc200", "0-40! 100-200"),
    "a second arrival within the shortest gap": ("Oc0 Oh90 Oc100 Fc200", "0-200"),
    "two arrivals at one instant": ("Oc0/s1 Oc0/s2 Fc100", "0-100"),
    "departures alone": ("Fc0 Fc100", ""),
    "a second departure": ("Oc0 Fc100 Fc200 Oc300 Fc400", "0-100 300-400"),
    "a second departure within a short gap": ("Oc0 Fc100 Fc110 Oc119 Fc200", "0-200"),
    "a heartbeat within a short gap": ("Oc0 Fc100 Fh110 Oc119 Fc200", "0-200"),
    "a gap of 19 s": ("Oc0 Fc100 Oc119 Fc200", "0-200"),
    "a gap of 19.999 s": ("Oc0 Fc100 Oc119.999 Fc200", "0-200"),
    "a gap of 20 s": ("Oc0 Fc100 Oc120 Fc200", "0-100 120-200"),
    "a gap of 21 s": ("Oc0 Fc100 Oc121 Fc200", "0-100 121-200"),
    "a gap of 19 s since it was last seen": ("Oc0 Oh100 Fh110 Oh119 Fc200", "0-200"),
    "a gap of 20 s since it was last seen": ("Oc0 Oh100 Fh110 Oh120 Fc200", "0-100! 120-200!"),
    "a stay of 19 s": ("Oc0 Fc19", ""),
    "a stay of 19.999 s": ("Oc0 Fc19.999", ""),
    "a stay of 20 s": ("Oc0 Fc20", "0-20"),
    "a stay of no length": ("Oc0/s1 Fc0/s2", ""),
    "a stay of no length before a short gap": ("Oc0/s1 Fc0/s2 Oc15/s3 Fc100/s4", "0-100"),
    "seq orders one instant": ("Fc0/s1 Oc0/s2 Fc100/s3", "0-100"),
    "boot orders before seq": ("Oc0/b1s9 Fc0/b2s0", ""),
    "boot orders before seq, the other way": ("Fc0/b1s9 Oc0/b2s0 Fc100/b2s1", "0-100"),
    "no seq comes before 0": ("Oc0 Fc0/s0", ""),
    "no seq comes before 0, the other way": ("Fc0 Oc0/s0 Fc60/s1", "0-60"),
    "no boot comes before 0": ("Fc0/s7 Oc0/b0s0 Fc60/b0s1", "0-60"),
    "sensors order what is otherwise alike": ("Fc0/A Oc0/B Fc60/A", "0-60"),
    "sensors order what is otherwise alike, the other way": ("Oc0/A Fc0/B", ""),
    "occupied comes before free": ("Fc0 Oc0 Oc100 Fc150", "100-150"),
    "a change comes before a heartbeat": ("Oc0 Oh0 Fc100", "0-100"),
    "reports": ("Or0 Or50 Fr100", "0-100"),
    "a report that is free first": ("Fr0 Or50 Fr100", "50-100"),
    "a change after a report": ("Or0 Oc50 Fr100", "50-100"),
    "a report after a heartbeat": ("Oh0 Or30 Fr100", "0-100!"),
    "more gap than stay": ("Oc0 Fc5 Oc24 Fc30", "0-30!"),
    "as much gap as stay": ("Oc0 Fc10 Oc29 Fc38", "0-38"),
    "a chain of short gaps": ("Oc0 Fc10 Oc20 Fc30 Oc40 Fc50", "0-50"),
    "a chain of short stays": ("Oc0 Fc10 Oc40 Fc50", ""),
    "a short stay, a short gap, a long stay": ("Oc0 Fc10 Oc25 Fc100", "0-100"),
    "somebody stands there": ("Oc0", "0-"),
    "somebody stands there after a short gap": ("Oc0 Fc100 Oc110", "0-"),
    "somebody stands there after a gap": ("Oc0 Fc100 Oc120", "0-100 120-"),
    "a second arrival and a lost departure": ("Oc0 Oh100 Oc115 Fh200", "0-115!"),
    "counters that begin again": ("Oc0/s900 Fc100/s0 Oc200/s1 Fc300/s2", "0-100 200-300"),
    "heard often enough": ("Oc0 Oh3600 Oh7200 Oh10800 Fc14400", "0-14400"),
    "not heard for three heartbeats": ("Oc0 Fc10800", "0-10800"),
    "not heard for longer": ("Oc0 Fc10801", "0-10801!"),
    "not heard for longer inside": ("Oc0 Oh10801 Fc10900", "0-10900!"),
    "not heard before and after": ("Fh0 Oc20000 Fc20100 Fh40000", "20000-20100"),
    "not heard before a second arrival": ("Oc0 Oh100 Oc20000 Fc20100", "0-100! 20000-20100"),
    "another sensor goes on": ("Oc0/A Oh50/A Oh100/B Fc200/B", "0-200"),
    "another sensor starts": ("Oc0/A Ob100/B Fc200/B", "0-200"),
    "another sensor finds it free": ("Oc0/A Oh50/A Fh100/B", "0-50!"),
    "another sensor tells an arrival": ("Oc0/A Oh80/A Oc150/B Fc200/B", "0-80! 150-200"),
}  # fmt: skip

_READING = re.compile(r"([OF])([chbr])([\d.]+)(?:/(?:b(\d+))?(?:s(\d+))?)?(?:/?([AB]))?")
_KINDS = {"c": Kind.CHANGE, "h": Kind.HEARTBEAT, "b": Kind.BOOT, "r": Kind.REPORT}
MOST_ORDERS = 120


def read(word: str) -> Reading:
    found = _READING.fullmatch(word)
    assert found, word
    says, kind, at, boot, seq, sensor = found.groups()
    return Reading(
        sensor=sensor or "A",
        at_ms=round(float(at) * 1_000),
        occupied=says == "O",
        kind=_KINDS[kind],
        boot=int(boot) if boot else ABSENT,
        seq=int(seq) if seq else ABSENT,
    )


def told(readings: list[Reading]) -> str:
    rules = FoldRules()
    return " ".join(
        f"{span.begin_ms / 1_000:g}-"
        + ("" if span.end_ms is None else f"{span.end_ms / 1_000:g}")
        + ("!" if span.unsure_why(rules) else "")
        for span in fold(readings, rules).sessions(rules)
    )


@pytest.mark.parametrize("case", CASES)
def test_readings_become_the_sessions_worked_out_by_hand_in_every_order_and_twice(case: str) -> None:
    words, sessions = CASES[case]
    readings = [read(word) for word in words.split()]
    for order in islice(permutations(readings), MOST_ORDERS):
        assert told([*order, *order[::2]]) == sessions
