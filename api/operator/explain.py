"""Why a session is what it is and costs what it costs, for people with a login."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from api.deps import Db, TheParts, Words
from api.door import LoggedIn, role
from api.fees import Fee, FeeTariff
from api.problems import responses
from api.shapes import Shape
from billing.explaining import explain, explanation_object, find_session, load_facts
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Asker = Annotated[LoggedIn, role(Role.OPERATOR, Role.WARDEN, Role.FINANCE)]


class ExplainedSession(Shape):
    """The session as it stands."""

    id: UUID
    space_code: str
    lot_id: str
    lot_name: str
    zone: str
    sensor_id: str
    """The sensor whose reading began it."""
    status: str = Field(examples=["ended"])
    entered_at: Instant
    left_at: Instant | None
    unsure: bool
    revision: int
    """Raised by whatever changed it."""
    recorded_at: Instant
    revised_at: Instant


class WhyOut(Shape):
    """A reason, as a code and in words."""

    code: str
    why: str


class GapOut(Shape):
    """A time it stood free, closed because the sensor flapped."""

    from_: Instant = Field(alias="from")
    to: Instant
    seconds: float


class LimitsOut(Shape):
    """What decided about the session when it was last changed, whatever became of it since."""

    min_stay_seconds: int = Field(examples=[20])
    min_gap_seconds: int = Field(examples=[20])
    silent_after_seconds: int = Field(examples=[10800])


class ReadingOut(Shape):
    """A message of the sensor: as it came, what it says, and what that means here."""

    at: Instant
    received_at: Instant
    sensor_id: str
    role: str = Field(examples=["begins"])
    """`before`, `begins`, `inside`, `in-gap`, `ends` or `after`."""
    occupancy: str
    kind: str
    boot: int | None
    seq: int | None
    battery_mv: int | None
    rssi_dbm: int | None
    temperature_c: float | None
    late: str | None
    """That it came out of turn, how late, and after which bill."""
    topic: str
    raw: str
    """The bytes as text where they are printable, else in hexadecimal."""
    raw_hex: str


class NoticeOut(Shape):
    """The version of the notice that priced it."""

    code: str
    version: int
    name: str
    number: str | None
    source: str
    rules: list[str]
    """In words."""


class HeldOut(Shape):
    """Why a bill waits, or waited, for a person."""

    reasons: list[str] = Field(examples=[["unsure"]])
    """`unsure`, `late_arrival`, `long_stay`, `large_amount`."""
    text: str
    released_by: str | None
    release_reason: str | None


class BillOut(Shape):
    """One of its bills; each but the first replaces the one before."""

    id: UUID
    session_revision: int
    replaces_id: UUID | None
    is_current: bool
    issued_at: Instant
    total_fen: int
    entered_at: Instant | None
    """The stay as it was then."""
    left_at: Instant | None
    tariff: FeeTariff | None
    note: str | None
    held: HeldOut | None
    """Null where nobody had to look at it."""
    """Why nothing is charged, where that is so."""


class EvidenceOut(Shape):
    """Somebody or something says which plate stood there."""

    plate: str
    """Masked."""
    source: str
    source_text: str
    colour: str | None
    confidence_percent: int | None
    observed_at: Instant
    recorded_at: Instant
    recorded_by: str | None
    counts: bool
    """It names the plate that the best evidence names."""


class ExplainedPayment(Shape):
    """One attempt to collect money."""

    id: str
    provider: str = Field(examples=["wechat"])
    channel: str = Field(examples=["wechat_native"])
    amount_fen: int = Field(examples=[600])
    status: str = Field(examples=["paid"])
    text: str
    order_no: str
    transaction_id: str | None
    """The provider's own number."""
    received_fen: int | None
    created_at: Instant
    paid_at: Instant | None
    covers_to: Instant | None
    """Until when the fee that was paid was counted."""


class ExplainedLine(Shape):
    """One line of the journal."""

    entry_id: int
    posted_at: Instant
    kind: str = Field(examples=["payment"])
    text: str
    source: str = Field(examples=["notification"])
    """Which way the news came."""
    business_key: str
    account: str = Field(examples=["receivable:stay"])
    debit_fen: int
    credit_fen: int
    currency: str


class AgainOut(Shape):
    """What computing something again gave."""

    outcome: str = Field(examples=["equal"])
    """`equal`, `different`, `not-kept` (what it was made from is gone) or `not-yet`."""
    text: str


class AgainsOut(Shape):
    """The session folded from its readings again, its current bill priced again."""

    session: AgainOut
    fee: AgainOut


class ExplanationOut(Shape):
    """The whole chain, from the bytes to the fen."""

    session: ExplainedSession
    begins: WhyOut
    ends: WhyOut | None
    unsure: WhyOut | None
    closed_gaps: list[GapOut]
    limits: LimitsOut
    longest_silence_seconds: float
    readings: list[ReadingOut]
    """In their order: inside the stay, and just around it."""
    fee: Fee | None
    """By the current bill."""
    notice: NoticeOut | None
    bills: list[BillOut]
    plates: list[EvidenceOut]
    payments: list[ExplainedPayment]
    payments_note: str | None
    """Where there is none."""
    journal: list[ExplainedLine]
    computed_again: AgainsOut


@router.get("/sessions/{session}/explain", responses=responses(401, 403, 404, 422), response_model=ExplanationOut)
async def explain_session(
    *,
    parts: TheParts,
    db: Db,
    _person: Asker,
    lang: Words,
    session: Annotated[
        str,
        Path(
            max_length=64,
            description="A session's id, or a space's code for its newest session.",
            openapi_examples={"the newest on a space": {"value": "KL-017"}},
        ),
    ],
) -> dict[str, Any]:
    """Why it begins and ends there and costs what it costs: readings, rules, bills, and both computed again now."""
    return explanation_object(explain(await load_facts(db, await find_session(db, session), parts.plates)), lang)
