"""Verdicts on sensors: what always holds, and the edges of each rule."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidError
from core.sensor import (
    CODECS,
    DAY_MS,
    NAMES,
    SILENT_AFTER_HEARTBEATS,
    WORST_FIRST,
    SensorFacts,
    Verdict,
    VerdictRules,
    judge,
    rule_in_words,
    silent_after_ms,
)
from core.settings import Settings
from ingest.vendors import CODECS as DECODERS

NOW = 1_795_358_210_250
RULES = VerdictRules()
HEARTBEAT = 3_600
FINE = SensorFacts(
    heartbeat_seconds=HEARTBEAT, watching_since_ms=NOW - 90 * DAY_MS, last_heard_ms=NOW, unchanged_since_ms=NOW
)

instants = st.integers(NOW - 400 * DAY_MS, NOW + DAY_MS)
facts = st.builds(
    SensorFacts,
    codec=st.sampled_from(CODECS),
    heartbeat_seconds=st.integers(1, 7 * 86_400),
    watching_since_ms=instants,
    last_heard_ms=st.none() | instants,
    changes_in_hour=st.integers(0, 200),
    unchanged_since_ms=st.none() | instants,
    others=st.integers(0, 50),
    others_changed=st.integers(0, 50),
    battery_mv=st.none() | st.integers(0, 65_535),
    battery_pct=st.none() | st.integers(0, 100),
    battery_low=st.none() | st.booleans(),
    battery_low_mv=st.none() | st.integers(1, 65_535),
)
rules = st.builds(
    VerdictRules,
    late_after_heartbeats=st.floats(1, SILENT_AFTER_HEARTBEATS),
    flapping_changes=st.integers(1, 100),
    stuck_days=st.integers(1, 30),
    battery_low_mv=st.integers(1, 5_000),
    battery_low_pct=st.integers(0, 100),
)


def verdicts(one: SensorFacts, by: VerdictRules = RULES, now_ms: int = NOW) -> list[Verdict]:
    return [finding.verdict for finding in judge(one, by, now_ms)]


@given(facts, rules)
def test_there_is_always_a_verdict_and_each_only_once(one: SensorFacts, by: VerdictRules) -> None:
    found = verdicts(one, by)
    assert found
    assert len(found) == len(set(found))


@given(facts, rules)
def test_the_worst_comes_first_and_online_stands_alone(one: SensorFacts, by: VerdictRules) -> None:
    found = verdicts(one, by)
    assert found == sorted(found, key=WORST_FIRST.index)
    assert Verdict.ONLINE not in found or found == [Verdict.ONLINE]


@given(facts, rules)
def test_a_sensor_speaks_in_one_way_and_says_wrong_things_only_when_it_speaks(
    one: SensorFacts, by: VerdictRules
) -> None:
    found = set(verdicts(one, by))
    assert len(found & {Verdict.SILENT, Verdict.NEVER_HEARD, Verdict.LATE, Verdict.ONLINE}) <= 1
    if found & {Verdict.SILENT, Verdict.NEVER_HEARD}:
        assert not found & {Verdict.FLAPPING, Verdict.STUCK}


@given(facts, rules)
def test_no_verdict_begins_in_the_future(one: SensorFacts, by: VerdictRules) -> None:
    assert all(finding.since_ms <= NOW for finding in judge(one, by, NOW))


@given(facts, rules, st.integers(0, 30 * DAY_MS))
def test_time_alone_never_makes_hearing_better(one: SensorFacts, by: VerdictRules, later_ms: int) -> None:
    order = [Verdict.ONLINE, Verdict.LATE, Verdict.SILENT]

    def rank(now_ms: int) -> int:
        heard = [verdict for verdict in verdicts(one, by, now_ms) if verdict in order]
        return order.index(heard[0]) if heard else 0

    assert rank(NOW + later_ms) >= rank(NOW)


@given(facts, rules)
def test_a_reading_that_comes_now_ends_every_kind_of_silence(one: SensorFacts, by: VerdictRules) -> None:
    found = set(verdicts(replace(one, last_heard_ms=NOW), by))
    assert not found & {Verdict.SILENT, Verdict.NEVER_HEARD, Verdict.LATE}


@given(facts, rules)
def test_the_instant_a_silence_began_is_the_one_before_which_it_was_none(one: SensorFacts, by: VerdictRules) -> None:
    worst = judge(one, by, NOW)[0]
    if worst.verdict is Verdict.SILENT:
        assert Verdict.SILENT not in verdicts(one, by, worst.since_ms)
        assert Verdict.SILENT in verdicts(one, by, worst.since_ms + 1)


@pytest.mark.parametrize(
    ("silence_ms", "verdict"),
    [
        (0, Verdict.ONLINE),
        (HEARTBEAT * 1_500, Verdict.ONLINE),
        (HEARTBEAT * 1_500 + 1, Verdict.LATE),
        (HEARTBEAT * 3_000, Verdict.LATE),
        (HEARTBEAT * 3_000 + 1, Verdict.SILENT),
    ],
)
def test_late_and_silent_begin_behind_their_limits(silence_ms: int, verdict: Verdict) -> None:
    assert verdicts(replace(FINE, last_heard_ms=NOW - silence_ms)) == [verdict]


def test_flapping_is_more_than_so_many_changes() -> None:
    assert verdicts(replace(FINE, changes_in_hour=20)) == [Verdict.ONLINE]
    assert verdicts(replace(FINE, changes_in_hour=21)) == [Verdict.FLAPPING]


@pytest.mark.parametrize(
    ("days", "others", "changed", "stuck"),
    [
        (3, 9, 9, False),
        (3.01, 9, 9, True),
        (3.01, 9, 5, True),
        (3.01, 9, 4, False),
        (30, 0, 0, False),
        (30, 9, 0, False),
    ],
)
def test_stuck_is_judged_by_the_neighbours(days: float, others: int, changed: int, *, stuck: bool) -> None:
    one = replace(FINE, unchanged_since_ms=NOW - int(days * DAY_MS), others=others, others_changed=changed)
    assert (Verdict.STUCK in verdicts(one)) is stuck


@pytest.mark.parametrize(
    ("said", "low"),
    [
        ({"battery_mv": 3_000}, False),
        ({"battery_mv": 2_999}, True),
        ({"battery_mv": 2_950, "codec": "nwave-nps405"}, False),
        ({"battery_mv": 2_899, "codec": "nwave-nps405"}, True),
        ({"battery_mv": 3_200, "battery_low_mv": 3_300}, True),
        ({"battery_pct": 15, "battery_mv": 1}, False),
        ({"battery_pct": 14}, True),
        ({"battery_low": False, "battery_pct": 1}, False),
        ({"battery_low": True, "battery_pct": 99}, True),
        ({}, False),
    ],
)
def test_a_battery_is_low_by_what_knows_it_best(said: dict[str, int], *, low: bool) -> None:
    assert (Verdict.LOW_BATTERY in verdicts(replace(FINE, **said))) is low  # type: ignore[arg-type]  # fields by name


def test_every_verdict_has_a_name_and_a_rule_with_its_numbers() -> None:
    for verdict in Verdict:
        for lang in ("zh", "en"):
            assert NAMES[verdict][lang]
            assert "{" not in rule_in_words(verdict, RULES, lang)
    assert "1.5" in rule_in_words(Verdict.LATE, RULES, "zh")
    assert "7" in rule_in_words(Verdict.STUCK, VerdictRules(stuck_days=7), "en")


def test_rules_that_would_contradict_one_another_are_refused() -> None:
    with pytest.raises(InvalidError):
        VerdictRules(late_after_heartbeats=3.5)
    with pytest.raises(InvalidError):
        VerdictRules(stuck_days=0)


def test_settings_and_rules_have_the_same_defaults() -> None:
    assert Settings().verdict_rules == VerdictRules()


def test_silence_is_three_heartbeats_everywhere() -> None:
    assert silent_after_ms(HEARTBEAT) == 3 * 3_600_000


def test_every_codec_has_a_decoder_and_every_decoder_a_name() -> None:
    assert tuple(DECODERS) == CODECS
