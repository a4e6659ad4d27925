"""How a sensor is doing: verdicts, each by one rule that can be said in words. Pure.

A sensor may have several verdicts; the worst is its verdict. Only sensors that watch a space are judged: one in a
drawer is nobody's trouble.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from core.errors import InvalidError

SILENT_AFTER_HEARTBEATS: Final = 3
"""Not heard for longer than so many heartbeat intervals is silence: the one definition, for sessions and map too."""

CODECS: Final = (
    "native",
    "bosch-tps110-fw0.29",
    "bosch-tps110-fw0.39",
    "nwave-nps310",
    "nwave-nps405",
    "nwave-ncc405",
    "tekzitel-tekzipark",
    "pni-placepod",
    "moko-lw009",
    "libelium-parking-fw1",
    "libelium-parking-fw2",
    "milesight-em400-mud",
)
"""The names a sensor's codec may have. What each of them reads is known to ingest alone; a test holds them equal."""

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

Lang = Literal["zh", "en"]


class Verdict(StrEnum):
    """What is wrong with a sensor, the worst first; the last is that nothing is."""

    SILENT = "silent"
    NEVER_HEARD = "never-heard"
    STUCK = "stuck"
    FLAPPING = "flapping"
    LATE = "late"
    LOW_BATTERY = "low-battery"
    ONLINE = "online"


WORST_FIRST: Final = tuple(Verdict)

LOW_BATTERY_MV: Final[Mapping[str, int]] = {"nwave-nps310": 2_900, "nwave-nps405": 2_900}
"""By codec, where a maker publishes from which voltage on its battery is low; others by the installation's setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRules:
    """The numbers in the rules; settings of the installation, but for silence, which sessions and map share."""

    late_after_heartbeats: float = 1.5
    flapping_changes: int = 20
    """More changes than so many within an hour: a vehicle every six minutes, all hour long."""
    stuck_days: int = 3
    battery_low_mv: int = 3_000
    battery_low_pct: int = 15

    def __post_init__(self) -> None:
        """Refuse numbers under which the verdicts would contradict one another."""
        if not 1 <= self.late_after_heartbeats <= SILENT_AFTER_HEARTBEATS:
            raise InvalidError(f"a sensor is late after 1 to {SILENT_AFTER_HEARTBEATS} heartbeats")
        if min(self.flapping_changes, self.stuck_days) < 1:
            raise InvalidError("flapping needs at least one change, being stuck at least one day")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFacts:
    """What is known of one sensor that watches a space; instants are milliseconds."""

    codec: str = "native"
    heartbeat_seconds: int
    watching_since_ms: int
    """When it began to watch its space, or was registered, whichever is later."""
    last_heard_ms: int | None = None
    changes_in_hour: int = 0
    """How often its occupancy changed within the last hour."""
    unchanged_since_ms: int | None = None
    """Since when it has said the same; None if it never said anything."""
    others: int = 0
    """How many other sensors of its lot are heard."""
    others_changed: int = 0
    """How many of those changed within the last ``stuck_days``."""
    battery_mv: int | None = None
    battery_pct: int | None = None
    battery_low: bool | None = None
    battery_low_mv: int | None = None
    """This sensor's own limit, where its registry entry has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One verdict on one sensor."""

    verdict: Verdict
    since_ms: int
    """When it began, as far as that is known; never in the future."""


def silent_after_ms(heartbeat_seconds: int) -> int:
    """After how long without a message a sensor is silent, its space unknown, and an open stay unsure."""
    return SILENT_AFTER_HEARTBEATS * heartbeat_seconds * 1_000


def judge(facts: SensorFacts, rules: VerdictRules, now_ms: int) -> tuple[Finding, ...]:
    """Every verdict that holds, the worst first; at least one, and ``online`` only alone."""
    found = [_hearing(facts, rules, now_ms)]
    is_heard = found[0].verdict in {Verdict.ONLINE, Verdict.LATE}
    if is_heard and facts.changes_in_hour > rules.flapping_changes:
        found.append(Finding(verdict=Verdict.FLAPPING, since_ms=now_ms))
    stuck_ms = _stuck_since(facts, rules, now_ms) if is_heard else None
    if stuck_ms is not None:
        found.append(Finding(verdict=Verdict.STUCK, since_ms=stuck_ms))
    if has_low_battery(facts, rules):
        found.append(Finding(verdict=Verdict.LOW_BATTERY, since_ms=now_ms))
    if len(found) > 1:
        found = [one for one in found if one.verdict is not Verdict.ONLINE]
    return tuple(sorted(found, key=lambda one: WORST_FIRST.index(one.verdict)))


def has_low_battery(facts: SensorFacts, rules: VerdictRules) -> bool:
    """By what the sensor says itself; else by its percentage; else by its voltage."""
    if facts.battery_low is not None:
        return facts.battery_low
    if facts.battery_pct is not None:
        return facts.battery_pct < rules.battery_low_pct
    limit = facts.battery_low_mv or LOW_BATTERY_MV.get(facts.codec, rules.battery_low_mv)
    return facts.battery_mv is not None and facts.battery_mv < limit


def _hearing(facts: SensorFacts, rules: VerdictRules, now_ms: int) -> Finding:
    """Whether it speaks: exactly one of silent, never heard, late, online."""
    heard_ms = facts.last_heard_ms
    if heard_ms is None:
        return Finding(verdict=Verdict.NEVER_HEARD, since_ms=min(now_ms, facts.watching_since_ms))
    late_ms = heard_ms + int(rules.late_after_heartbeats * facts.heartbeat_seconds * 1_000)
    silent_ms = heard_ms + silent_after_ms(facts.heartbeat_seconds)
    if now_ms > silent_ms:
        return Finding(verdict=Verdict.SILENT, since_ms=silent_ms)
    if now_ms > late_ms:
        return Finding(verdict=Verdict.LATE, since_ms=late_ms)
    return Finding(verdict=Verdict.ONLINE, since_ms=min(now_ms, heard_ms))


def _stuck_since(facts: SensorFacts, rules: VerdictRules, now_ms: int) -> int | None:
    """When it became suspicious that nothing changes; None if it is not: nobody else's space changed either."""
    if facts.unchanged_since_ms is None or not facts.others_changed or 2 * facts.others_changed < facts.others:
        return None
    stuck_ms = facts.unchanged_since_ms + rules.stuck_days * DAY_MS
    return stuck_ms if now_ms > stuck_ms else None


NAMES: Final[Mapping[Verdict, Mapping[Lang, str]]] = {
    Verdict.SILENT: {"zh": "失联", "en": "silent"},
    Verdict.NEVER_HEARD: {"zh": "从未上报", "en": "never heard"},
    Verdict.STUCK: {"zh": "状态不变", "en": "stuck"},
    Verdict.FLAPPING: {"zh": "抖动", "en": "flapping"},
    Verdict.LATE: {"zh": "迟到", "en": "late"},
    Verdict.LOW_BATTERY: {"zh": "电量低", "en": "low battery"},
    Verdict.ONLINE: {"zh": "在线", "en": "online"},
}

_RULES: Final[Mapping[Verdict, Mapping[Lang, str]]] = {
    Verdict.SILENT: {
        "zh": "超过 {silent} 个心跳周期没有收到任何读数；它的车位在地图上显示为未知。",
        "en": "No reading for more than {silent} heartbeat intervals; its space is unknown on the map.",
    },
    Verdict.NEVER_HEARD: {
        "zh": "已分配车位，但从未收到它的读数。",
        "en": "It watches a space and not one reading of it has ever come.",
    },
    Verdict.STUCK: {
        "zh": "超过 {days} 天一直上报同一状态，而同一停车场至少一半的其他车位在此期间有变化。",
        "en": "The same occupancy for more than {days} days while it is heard and at least half of the other heard "
        "spaces of its lot changed.",
    },
    Verdict.FLAPPING: {
        "zh": "一小时内状态变化超过 {changes} 次。",
        "en": "More than {changes} changes of occupancy within an hour.",
    },
    Verdict.LATE: {
        "zh": "超过 {late:g} 个心跳周期没有收到读数，但尚未失联。",
        "en": "No reading for more than {late:g} heartbeat intervals, but not silent yet.",
    },
    Verdict.LOW_BATTERY: {
        "zh": "传感器自己报告电量低；否则电量低于 {pct}%；否则电压低于 {mv} mV（或该型号、该传感器自己的限值）。",
        "en": "The sensor says so; else its charge is below {pct} %; else its voltage is below {mv} mV "
        "(or the limit of its model, or its own).",
    },
    Verdict.ONLINE: {
        "zh": "最近 {late:g} 个心跳周期内有读数，且没有发现其他问题。",
        "en": "A reading within the last {late:g} heartbeat intervals, and nothing else is wrong.",
    },
}


def rule_in_words(verdict: Verdict, rules: VerdictRules, lang: Lang) -> str:
    """The rule behind a verdict with the numbers in force, one sentence."""
    return _RULES[verdict][lang].format(
        silent=SILENT_AFTER_HEARTBEATS,
        late=rules.late_after_heartbeats,
        changes=rules.flapping_changes,
        days=rules.stuck_days,
        mv=rules.battery_low_mv,
        pct=rules.battery_low_pct,
    )
