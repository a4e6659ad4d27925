"""What sensors say of what happens when something is wrong with them, and that the truth is told of it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise, takewhile

import pytest

from core.clock import milliseconds
from core.occupancy import Kind
from simulator.faults import Fault, Faults, Spell
from simulator.faults.speaking import Said, Sensors, Utterance, utterances
from simulator.scenarios import load_scenario
from simulator.sensors import SensedCity
from simulator.world import events
from tests.support.county import SHANGHAI, sensed

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONDAY_MS = milliseconds(datetime(2026, 3, 9, tzinfo=SHANGHAI))
CITY = sensed(spaces=60)


def heard(
    faults: Faults, *, hours: float = 24, seed: int = 1, city: SensedCity = CITY, keeps_time: bool = True
) -> list[Utterance]:
    sensors = Sensors(lots=[one.lot for one in city.watched], keeps_time=[keeps_time] * len(city.watched))
    happening = events(city, seed=seed, begins_ms=MONDAY_MS, zone=SHANGHAI)
    stream = utterances(happening, sensors, faults, seed=seed, zone_ms=8 * HOUR_MS)
    return list(takewhile(lambda one: one.at_ms < MONDAY_MS + hours * HOUR_MS, stream))


def under(fault: Fault, *, share: float = 1.0, lasts_hours: float = 4, between: tuple[int, int] = (540, 600)) -> Faults:
    return Faults(spells={fault: Spell(share=share, lasts_ms=int(lasts_hours * HOUR_MS), between=between)})


def said(spoken: list[Utterance], number: int) -> Iterator[Said]:
    return (one.said for one in spoken if one.said is not None and one.number == number)


PERFECT = heard(Faults())


def test_without_faults_everything_is_said_as_it_is() -> None:
    for one in PERFECT:
        assert one.event is not None
        assert one.said is not None
        assert (one.said.at_ms, one.said.seq, one.said.occupied) == (
            one.event.at_ms,
            one.event.seq,
            one.event.occupied,
        )
        assert one.faults == ()


def test_spells_that_befall_nobody_change_nothing() -> None:
    nobody = Faults(spells={Fault.STUCK: Spell(share=1e-9)})
    assert [one.said for one in heard(nobody)] == [one.said for one in PERFECT]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_meets_the_same_faults(seed: int) -> None:
    faults = load_scenario("every-fault").faults
    assert heard(faults, seed=seed) == heard(faults, seed=seed)


def test_what_happens_is_the_same_whatever_is_said_of_it() -> None:
    rough = heard(load_scenario("every-fault").faults)
    assert [one.event for one in rough if one.event is not None] == [one.event for one in PERFECT]


def test_utterances_come_in_order_of_time_and_are_numbered() -> None:
    rough = heard(load_scenario("every-fault").faults)
    assert all(one.at_ms <= other.at_ms for one, other in pairwise(rough))
    for number in range(60):
        counted = [(one.boot, one.seq) for one in said(rough, number)]
        assert all(
            after == (before[0], before[1] + 1) or after == (before[0] + 1, 1) for before, after in pairwise(counted)
        )


def test_a_stuck_sensor_notices_nothing_and_then_what_is_so() -> None:
    spoken = heard(under(Fault.STUCK))
    missed = [one for one in spoken if one.said is None]
    assert missed
    assert {one.faults for one in missed} == {(Fault.STUCK,)}
    late_sights = [one for one in spoken if one.event is None]
    assert all(one.said is not None and one.said.kind is Kind.CHANGE for one in late_sights)
    for number in range(60):
        state = False
        for one in said(spoken, number):
            assert one.kind is not Kind.CHANGE or one.occupied is not state
            state = one.occupied


def test_a_flapping_sensor_says_an_arrival_over_and_over_with_short_gaps() -> None:
    spoken = heard(under(Fault.FLAPPING, lasts_hours=8))
    extra = [one for one in spoken if one.event is None]
    assert len(extra) > 30
    for number in range(60):
        changes = [one for one in said(spoken, number) if one.kind is Kind.CHANGE]
        assert all(one.occupied is not other.occupied for one, other in pairwise(changes))
    gaps = [
        after.at_ms - before.at_ms
        for number in range(60)
        for before, after in pairwise([one for one in extra if one.number == number])
        if before.said is not None and not before.said.occupied
    ]
    assert max(gaps) < 20_000


def test_a_dying_battery_fades_falls_silent_and_is_replaced_in_the_morning() -> None:
    spoken = heard(under(Fault.DYING_BATTERY, share=0.5, lasts_hours=6, between=(600, 660)), hours=47)
    dead = {one.number for one in spoken if one.said is None}
    assert 10 < len(dead) < 60
    for number in dead:
        faded = [one.faded_mv for one in said(spoken, number) if one.boot == 1]
        assert max(faded, default=0) <= 900
    back = [one for one in spoken if one.event is None]
    assert {(one.at_ms - MONDAY_MS) % DAY_MS for one in back} == {8 * HOUR_MS}
    assert all(one.said is not None and (one.said.kind, one.said.seq) == (Kind.BOOT, 1) for one in back)
    assert max(one.faded_mv for number in dead for one in said(spoken, number)) > 300


def test_a_clock_drifts_by_no_more_than_was_described_and_is_set_right() -> None:
    spoken = heard(under(Fault.DRIFTING_CLOCK, lasts_hours=8))
    apart = [one.said.at_ms - one.at_ms for one in spoken if one.said is not None]
    assert min(apart) < -10_000
    assert max(apart) > 10_000
    assert max(map(abs, apart)) <= 120_000
    after = [one for one in spoken if one.said is not None and one.at_ms > MONDAY_MS + 19 * HOUR_MS]
    assert all(one.said is not None and one.said.at_ms == one.at_ms for one in after)


def test_whoever_is_dated_by_a_network_server_has_no_clock_to_drift() -> None:
    spoken = heard(under(Fault.DRIFTING_CLOCK, lasts_hours=8), keeps_time=False)
    assert [one.said for one in spoken] == [one.said for one in PERFECT]


def test_a_reset_sensor_says_so_and_counts_anew() -> None:
    spoken = heard(under(Fault.RESET_COUNTER))
    starts = [one for one in spoken if one.event is None]
    assert {one.number for one in starts} == set(range(60))
    assert all(one.said is not None and (one.said.boot, one.said.seq) == (2, 1) for one in starts)


def test_a_power_cut_silences_a_whole_lot_and_all_of_it_starts_again() -> None:
    spoken = heard(under(Fault.POWER_CUT, lasts_hours=1))
    silent = [one for one in spoken if one.said is None]
    assert {one.faults for one in silent} == {(Fault.POWER_CUT,)}
    back = Counter(one.at_ms for one in spoken if one.event is None)
    assert len(back) == len({one.lot for one in CITY.watched})
    assert all(count <= 10 for count in back.values())
    assert sum(back.values()) == 60


def test_a_gateway_without_a_way_keeps_what_it_hears() -> None:
    spoken = heard(under(Fault.GATEWAY_OUTAGE, lasts_hours=2))
    kept = [one for one in spoken if one.faults == (Fault.GATEWAY_OUTAGE,)]
    assert kept
    assert all(one.send_ms[0] >= one.at_ms for one in kept)
    assert max(one.send_ms[0] - one.at_ms for one in kept) > HOUR_MS
    assert [one.said for one in spoken] == [one.said for one in PERFECT]


def test_every_departure_from_the_truth_names_a_fault() -> None:
    for one in heard(load_scenario("every-fault").faults, hours=48):
        is_plain = (
            one.event is not None
            and one.said is not None
            and one.said.occupied is one.event.occupied
            and one.said.at_ms == one.event.at_ms
            and one.send_ms == (one.at_ms,)
        )
        assert is_plain or one.faults


def test_an_utterance_names_the_stay_it_belongs_to() -> None:
    for one in heard(load_scenario("every-fault").faults):
        if one.event is not None:
            assert one.entered_ms == one.event.entered_ms
        elif one.faults[0] is Fault.FLAPPING:
            assert one.entered_ms is not None
