"""One thing looked at: how it is, and the cure if it is not well. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    """Works, with less than there could be."""
    FAIL = "fail"
    """Will not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, what was found, and what to do about it."""

    what: str
    verdict: Verdict
    found: str
    cure: str = ""

    def __post_init__(self) -> None:
        """A complaint without a cure helps nobody."""
        if self.verdict is not Verdict.OK and not self.cure:
            raise ValueError(f"no cure for {self.what}")


def ok(what: str, found: str) -> Finding:
    """Well."""
    return Finding(what=what, verdict=Verdict.OK, found=found)


def warn(what: str, found: str, cure: str) -> Finding:
    """Works, but."""
    return Finding(what=what, verdict=Verdict.WARN, found=found, cure=cure)


def fail(what: str, found: str, cure: str) -> Finding:
    """Does not work."""
    return Finding(what=what, verdict=Verdict.FAIL, found=found, cure=cure)
