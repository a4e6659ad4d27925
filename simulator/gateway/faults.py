"""A script of misbehaviour: which message meets which fault. Pure but for counting what has happened.

The same script, seed and messages always meet the same faults, whatever else goes on.
"""

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.dice import Dice, key_of

CallFault = Literal[
    "down", "stall-before", "stall-after", "cut-after", "error", "delay", "unsigned", "forged", "corrupt"
]
"""What can befall a call of the merchant's and its answer."""
NoticeFault = Literal[
    "drop",
    "delay",
    "repeat",
    "reorder",
    "corrupt",
    "forged",
    "probe",
    "unsigned",
    "stale",
    "wrong-amount",
    "wrong-merchant",
    "wrong-key",
]
"""What can befall a notification on its way to the merchant."""
LONGEST_SECONDS: Final = 600.0


class Rule(BaseModel):
    """One fault, and which messages it befalls; of several that fit, the first one counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: str = Field(examples=["wechat.create", "*.notify.payment", "alipay.*"])
    """A pattern for ``{provider}.{operation}``: ``create``, ``query``, ``close``, ``refund``, ``refund-query``,
    ``bill``, ``download``, ``certificates``, ``oauth``, ``notify.payment``, ``notify.refund``."""
    do: CallFault | NoticeFault
    order: str = "*"
    """A pattern for the order's number."""
    after: int = Field(default=0, ge=0)
    """So many messages that fit are let through first."""
    times: int | None = Field(default=None, ge=1)
    """How many are befallen at most; unset: all."""
    chance: float = Field(default=1.0, ge=0, le=1)
    """The share of those that fit which is befallen, drawn by the script's seed."""
    seconds: float = Field(default=1.0, ge=0, le=LONGEST_SECONDS)
    """How long ``delay``, ``stall-before`` and ``stall-after`` take."""
    copies: int = Field(default=2, ge=2, le=100)
    """How often ``repeat`` sends the same bytes, all at once."""
    fen: int = 100
    """What ``wrong-amount`` adds to the amount that is told."""
    status: int = Field(default=502, ge=500, le=599)
    """What ``error`` answers, unsigned."""

    def fits(self, operation: str, order_no: str) -> bool:
        """Whether this rule is about such a message."""
        return fnmatchcase(operation, self.on) and fnmatchcase(order_no, self.order)


class Script(BaseModel):
    """What goes wrong, in all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    rules: tuple[Rule, ...] = ()
    refund_seconds: float = Field(default=1.0, ge=0, le=LONGEST_SECONDS)
    """How long WeChat Pay takes from accepting a refund to having done it."""
    refunds_end: Literal["done", "failed", "abnormal"] = "done"
    """How those refunds end."""
    bills_at_once: bool = False
    """Whether a day's bill can be had while the day still goes on, instead of from ten in the morning of the next."""


class Faults:
    """The script in force and how far it has come."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.met: Counter[str] = Counter()
        """How often each fault happened, as ``operation do``."""
        self._fitted: Counter[int] = Counter()
        self._befallen: Counter[int] = Counter()
        self._seen: Counter[tuple[str, str]] = Counter()

    def choose(self, operation: str, order_no: str, *, among: Sequence[str]) -> Rule | None:
        """The fault that this message meets, if any.

        Args:
            operation: ``wechat.create``, ``alipay.notify.payment``.
            order_no: of the order it is about; empty where it is about none.
            among: the faults that can befall a message of this kind.
        """
        nth = self._seen[operation, order_no]
        self._seen[operation, order_no] += 1
        for place, rule in enumerate(self.script.rules):
            if (
                rule.do in among
                and rule.fits(operation, order_no)
                and self._befalls(place, rule, operation, order_no, nth)
            ):
                self.met[f"{operation} {rule.do}"] += 1
                return rule
        return None

    def _befalls(self, place: int, rule: Rule, operation: str, order_no: str, nth: int) -> bool:
        self._fitted[place] += 1
        if self._fitted[place] <= rule.after or (rule.times is not None and self._befallen[place] >= rule.times):
            return False
        if rule.chance < 1:
            # by what the message is, not by when it came: other traffic changes nothing
            dice = Dice(key_of(self.script.seed, place, operation, order_no, nth))
            if dice.uniform() >= rule.chance:
                return False
        self._befallen[place] += 1
        return True
