"""Caps: what a period may cost at most, and how much each took off. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.engine.free import Used, scope_of
from billing.engine.reach import Charge
from billing.tariff.model import Cap


@dataclass(slots=True)
class Cut:
    """What one cap took off in one of its periods."""

    cap: Cap
    amount: int
    from_ms: int
    """The first unit that was cut."""
    to_ms: int


def cuts_of(charges: Sequence[Charge], caps: Sequence[Cap], used: Used, origin_ms: int) -> list[Cut]:
    """What each cap takes off, where a unit runs into several the tightest; ``used`` is added to for shared caps.

    Amounts below 0 (a step that became cheaper) give room back. A cap's own periods begin at ``origin_ms``.
    """
    cuts: dict[tuple[str, int], Cut] = {}
    spent: Used = {}
    for charge in charges:
        scopes = [
            (cap, (cap.name, scope_of(cap.per, charge.occurrence, charge.day, period)))
            for cap in caps
            if (not cap.bands or charge.band in cap.bands)
            and (period := charge.period if cap.everywhere else _period(cap, charge, origin_ms)) >= 0
        ]
        passed = charge.amount
        tightest: tuple[Cap, tuple[str, int]] | None = None
        for cap, scope in scopes:
            room = cap.amount - spent.get(scope, 0) - (used.get(scope, 0) if cap.shared else 0)
            if max(room, 0) < passed:
                passed, tightest = max(room, 0), (cap, scope)
        for _, scope in scopes:
            spent[scope] = spent.get(scope, 0) + passed
        if tightest is not None:
            cut = cuts.setdefault(tightest[1], Cut(tightest[0], 0, charge.at_ms, charge.at_ms))
            cut.amount += charge.amount - passed
            cut.to_ms = charge.due_ms
    for cap in caps:
        if cap.shared:
            for scope, amount in spent.items():
                if scope[0] == cap.name:
                    used[scope] = used.get(scope, 0) + amount
    return list(cuts.values())


def _period(cap: Cap, charge: Charge, origin_ms: int) -> int:
    """Which of the cap's periods a unit begins in; -1 where the cap does not hold."""
    period = (charge.at_ms - origin_ms) // cap.rolling_ms if cap.rolling_ms else charge.period
    first, end = cap.periods
    return period if first <= period < end else -1
