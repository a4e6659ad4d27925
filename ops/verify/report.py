"""What a comparison speaks of and what it finds: stored sessions, differences in words, and their sum. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ops.verify.accuracy import FaultAccuracy


class Why(StrEnum):
    """In what way the stored differs from the true."""

    MISSING = "missing"
    EXTRA = "extra"
    BEGIN = "begin differs"
    END = "end differs"
    NOT_ENDED = "not ended yet"
    ENDED_EARLY = "ended, but the vehicle is there"
    UNSURE = "unsure"
    NOT_BILLED = "not billed yet"
    FEE = "fee differs"
    VOID_CHARGED = "void, but charged"
    READINGS = "readings"
    UNPROVED = "not as the readings say"
    """Nothing that was heard makes this session what it is."""
    BEYOND = "charged beyond the evidence"
    """More than the stay costs that the readings prove."""
    SHORT = "charged short of the evidence"
    PAYMENT_MISSING = "payment missing"
    PAYMENT_DIFFERS = "payment differs"
    PAID_BY_NOBODY = "paid by nobody"
    NOT_BOOKED = "not booked once"
    BOOKS = "books"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One stored session with its current bill; instants in milliseconds since 1970."""

    session_id: str
    space: str
    status: str
    entered_ms: int
    left_ms: int | None
    unsure: bool
    unsure_why: str | None
    revision: int
    billed_fen: int | None
    """None without a bill."""
    billed_revision: int | None
    is_reduced: bool = False
    """Its bill stands for somebody's pass, exemption or coupon, of which the truth knows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The stored readings of the truth's sensors within its span."""

    count: int
    fingerprint: str | None = None
    """``simulator.fingerprint`` of them; None when only counted."""
    gaps: Sequence[str] = ()
    """Some sensors of which numbers are missing, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it should be."""

    why: Why
    space: str | None
    session_id: str | None
    entered_at: str | None
    """Of the true stay; of the session when no stay is like it."""
    detail: str
    apart_fen: int = 0
    """Billed less due, where that is what differs."""
    apart_ms: int = 0
    """Stored less true, where that is what differs."""
    is_evident: bool = False
    """The stored is what the readings say, to the millisecond and the fen; they could not say what was so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Fees of ended stays, each beside what the true stay costs."""

    right: int = 0
    under: int = 0
    over: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Payments of one channel, as people tell them and as they are stored."""

    way: str
    told: int
    told_fen: int
    stored: int
    stored_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """What people paid, and where the money is."""

    told: int
    """Payments whose page said that they are done."""
    told_fen: int
    cut_off: int
    """Begun, and the page never said; whether money moved, the provider knows."""
    visitors: int
    """By people who parked by the map, who tell nobody."""
    ways: Sequence[Way]
    received_fen: int
    charged_fen: int
    due_fen: int
    """Over the whole installation, as ``billing.ledger.totals`` has them."""
    broken: Sequence[str]
    """Invariants of the books that do not hold, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one comparison."""

    until: str
    city: str = ""
    scenario: str = ""
    """Name and digest, as the truth has them."""
    stays: int
    """True stays that began until then."""
    equal: int
    """Of these, those with nothing to complain about."""
    evident: int
    """Of these, those that differ only where the readings could not say what was so."""
    still_there: int
    """Of the true stays, those that had not ended by then."""
    fees_compared: int
    fees_reduced: int
    """Left out of the comparison: bills with a pass, an exemption or a coupon, which no notice prices by itself."""
    fees: Fees
    true_fen: int
    billed_fen: int
    """Sums over the stays whose fees were compared."""
    readings_sent: int
    """Distinct ones."""
    readings_stored: int
    repeated: int
    late: int
    lost: int
    """Messages lost on purpose; where there are any, the stored cannot equal the true everywhere."""
    readings_told: bool = False
    """Whether the truth tells every reading, so that the stored is compared with the evidence too."""
    certainty: Mapping[str, int] = field(default_factory=dict)
    """Ended sessions by the reason to be unsure of them, and ``certain``."""
    differences: Sequence[Difference] = field(default_factory=tuple)
    by_fault: Sequence[FaultAccuracy] = ()
    """Of the stays, those that faults touched and, last, those that none did; empty where there were no faults."""
    payments: Payments | None = None
    """None where no people tell what they paid."""
    unexplained: int = 0
    """Differences that the readings do not account for; without readings, those that no fault explains."""

    @property
    def is_explained(self) -> bool:
        """Whether nothing differs but where sensors were kept from saying what was so."""
        return not self.unexplained

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def is_right(self) -> bool:
        """Whether all is as it was or, where the readings could not say that, as they say."""
        return self.is_equal or (self.readings_told and self.is_explained)

    def counts(self) -> Mapping[Why, int]:
        """How many differences of each sort there are."""
        return Counter(difference.why for difference in self.differences)

    def wrong(self) -> Sequence[Difference]:
        """The differences that nothing excuses."""
        return tuple(one for one in self.differences if not one.is_evident)
