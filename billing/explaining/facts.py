"""Everything that is stored about one session. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from core.clock import milliseconds
from core.occupancy import Kind, Reading
from core.session import FoldRules

Occupancy = Literal["occupied", "free", "unknown"]
_SAYS: Final[Mapping[Occupancy, bool | None]] = {"occupied": True, "free": False, "unknown": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReading:
    """A message as it came and what was read from it."""

    sensor: str
    codec: str
    """By which its sensor is read today."""
    at: datetime
    received_at: datetime
    occupancy: Occupancy
    kind: str
    boot: int
    seq: int
    topic: str
    raw: bytes
    battery_mv: int | None
    rssi_dbm: int | None
    temperature_c: float | None

    def as_reading(self) -> Reading:
        """What the fold looks at."""
        return Reading(
            sensor=self.sensor,
            at_ms=milliseconds(self.at),
            boot=self.boot,
            seq=self.seq,
            occupied=_SAYS[self.occupancy],
            kind=Kind(self.kind),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBill:
    """One link of the session's chain of bills."""

    id: UUID
    session_revision: int
    replaces_id: UUID | None
    total_fen: int
    fee: Mapping[str, Any]
    """Lines as facts and inputs, or the reason why nothing is charged."""
    issued_at: datetime
    document: Mapping[str, Any] | None
    """Of the version that priced it."""
    published_at: datetime | None
    held_for: tuple[str, ...] = ()
    """Why a person has to look at it before anything is made of it; empty: it was not held."""
    released_by: str | None = None
    release_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvidence:
    """Somebody or something says which plate stood there."""

    plate_id: UUID
    plate: str
    """Masked; stars alone where the key is not at hand, or the plate was erased."""
    source: str
    colour: str | None
    confidence_percent: int | None
    is_sure: bool
    observed_at: datetime
    recorded_at: datetime
    recorded_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayment:
    """One attempt to collect money for the session; who paid is not read for this."""

    id: UUID
    provider: str
    channel: str
    amount_fen: int
    status: str
    is_late: bool
    why: str | None
    order_no: str
    transaction_id: str | None
    received_fen: int | None
    created_at: datetime
    paid_at: datetime | None
    covers_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntryLine:
    """One line of the journal that concerns the session."""

    entry_id: int
    posted_at: datetime
    kind: str
    source: str
    business_key: str
    account: str
    debit_fen: int
    credit_fen: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One session with everything around it that is stored."""

    id: UUID
    space_code: str
    lot_code: str
    lot_name: str
    zone: str
    sensor: str
    status: Literal["open", "ended", "void"]
    entered_at: datetime
    left_at: datetime | None
    begin_why: str
    end_why: str | None
    closed_gap_ms: int
    unsure_why: str | None
    revision: int
    billed_revision: int | None
    recorded_at: datetime
    revised_at: datetime
    rules: FoldRules
    """As they were when the session was last changed."""
    readings: tuple[StoredReading, ...]
    """In their order, from a point that nothing earlier can influence to one that nothing later can, and a day on."""
    is_whole: bool
    """Whether they do begin at such a point, or with the space's first reading."""
    bills: tuple[StoredBill, ...]
    """Oldest first; the last is the current one."""
    evidence: tuple[StoredEvidence, ...]
    payments: tuple[StoredPayment, ...]
    """In the order they were asked for."""
    entries: tuple[StoredEntryLine, ...]
    """In the order they were posted."""
