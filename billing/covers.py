"""Time of a stay that somebody has paid for already, or that nobody pays: exempt vehicles, passes, vouchers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from core.clock import rfc3339
from core.errors import InvalidError

CoverKind = Literal["exempt", "pass", "coupon"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Half-open spans of a stay that are not charged, and why."""

    kind: CoverKind
    note: str
    """What the bill says of it: a reason, a pass's number, a coupon's name. Never a plate."""
    spans: tuple[tuple[datetime, datetime], ...]
    """Ascending, apart from each other."""
    fresh: bool = True
    """Whether the tiers begin again afterwards, or the clock goes on where it stood."""

    def __post_init__(self) -> None:
        """Refuse spans that overlap or run backwards."""
        ends = [at for span in self.spans for at in span]
        if ends != sorted(ends):
            raise InvalidError("the spans of a cover ascend")


def cover_kind(word: str) -> CoverKind:
    """The kind that a word names.

    Raises:
        InvalidError: none.
    """
    for kind in get_args(CoverKind):
        if kind == word:
            return cast("CoverKind", kind)
    raise InvalidError(f"nothing covers a stay as {word!r}")


def cover_to_json(cover: Cover) -> dict[str, Any]:
    """A cover as a bill keeps it."""
    spans = [[rfc3339(begin), rfc3339(end)] for begin, end in cover.spans]
    return {"kind": cover.kind, "note": cover.note, "spans": spans, "fresh": cover.fresh}


def cover_from_json(kept: Mapping[str, Any]) -> Cover:
    """The cover that was kept."""
    spans = tuple((datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in kept["spans"])
    return Cover(kind=kept["kind"], note=kept["note"], spans=spans, fresh=kept["fresh"])
