"""An invariant: words, and the question whose every answer is a fault. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One of them."""

    number: str
    holds: str
    """In words, as it is printed: neither more nor less than the statement proves."""
    broken_by: str
    """SQL for ``what`` (the offender) and ``why`` (figures); ``:now`` is the present on the installation's clock,
    ``:real_now`` the real one."""
