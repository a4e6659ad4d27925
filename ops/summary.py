"""What a demo did, told at its end: readings, stays, money by its way, debts, deaths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.money import Fen, yuan_text

WAYS: Final[Mapping[str, str]] = {
    "wechat_native": "WeChat Pay, code",
    "wechat_h5": "WeChat Pay, browser",
    "wechat_jsapi": "WeChat Pay, in the app",
    "alipay_precreate": "Alipay, code",
    "alipay_wap": "Alipay, browser",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Payments that came in by one way, for stays, debts and passes."""

    channel: str
    at_kiosk: bool
    payments: int
    received_fen: Fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the database and the simulator know of a run that is over."""

    status: Mapping[str, Any]
    """The simulator's last (``simulator.status``); empty without one."""
    readings: int
    refusals: int
    """Messages that were kept as refused, each as often as it came."""
    open_sessions: int
    ended_sessions: int
    bills: int
    billed_fen: Fen
    identified: int
    receipts: int
    refunds: int
    passes: int
    arrears_fen: Fen
    nobodys_fen: Fen
    paid: tuple[Paid, ...]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Group, what, how much; the group is said once."""
        told = self.status
        yield "readings", "messages sent", f"{told.get('published', 0):,}"
        yield "", "of them repeated, late, lost", ", ".join(f"{told.get(n, 0):,}" for n in ("repeated", "late", "lost"))
        yield "", "stored, each once", f"{self.readings:,}"
        yield "", "refused, and kept with the reason", f"{self.refusals:,}"
        yield "stays", "vehicles that came, left", f"{told.get('stays_begun', 0):,}, {told.get('stays_ended', 0):,}"
        yield "", "sessions open, ended", f"{self.open_sessions:,}, {self.ended_sessions:,}"
        yield "", "vehicles seen by a warden or a camera", f"{self.identified:,}"
        yield "money", f"billed, {self.bills:,} bills", yuan_text(self.billed_fen)
        for one in self.paid:
            way = WAYS.get(one.channel, one.channel) + (", at a kiosk" if one.at_kiosk else "")
            yield "", f"paid {one.payments:,} times by {way}", yuan_text(one.received_fen)
        yield "", "given back, so many times", f"{self.refunds:,}"
        yield "", "receipts taken", f"{self.receipts:,}"
        yield "", "passes sold", f"{self.passes:,}"
        yield "", "arrears of known vehicles", yuan_text(self.arrears_fen)
        yield "", "owed by nobody known", yuan_text(self.nobodys_fen)


async def fetch_summary(db: AsyncConnection, status: Mapping[str, Any]) -> Summary:
    """Count it all, in one picture of the database."""
    paid = [Paid(**row) for row in (await db.execute(_PAID)).mappings()]
    return Summary(status=status, paid=tuple(paid), **(await db.execute(_COUNTS)).mappings().one())


def summary_table(summary: Summary, *, killed: Mapping[str, int] | None) -> Table:
    """As a terminal shows it.

    Args:
        summary: what was done.
        killed: how often each process was killed on purpose; None where nobody was to be.
    """
    table = Table("", "what this demo did", box=None, pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    for group, what, much in summary.rows():
        table.add_row(f"[bold]{group}[/]", what, much)
    if killed is not None:
        for nth, (name, times) in enumerate(sorted(killed.items()) or [("nobody", 0)]):
            table.add_row("" if nth else "[bold]kill -9[/]", name, f"{times:,}")
    return table


_COUNTS: Final = text(
    """
    SELECT (SELECT count(*) FROM reading) AS readings,
           (SELECT coalesce(sum(times), 0)::bigint FROM refusal) AS refusals,
           (SELECT count(*) FROM parking_session WHERE status = 'open') AS open_sessions,
           (SELECT count(*) FROM parking_session WHERE status = 'ended') AS ended_sessions,
           (SELECT count(*) FROM current_bill) AS bills,
           (SELECT coalesce(sum(total_fen), 0)::bigint FROM current_bill) AS billed_fen,
           (SELECT count(DISTINCT session_id) FROM plate_evidence WHERE source <> 'claim') AS identified,
           (SELECT count(*) FROM receipt) AS receipts,
           (SELECT count(*) FROM refund) AS refunds,
           (SELECT count(*) FROM pass_order WHERE status = 'paid') AS passes,
           (SELECT coalesce(sum(debit_fen - credit_fen), 0)::bigint FROM journal_line
             WHERE account = 'receivable:arrears') AS arrears_fen,
           (SELECT coalesce(sum(debit_fen - credit_fen), 0)::bigint FROM journal_line
             WHERE account = 'receivable:unidentified') AS nobodys_fen
    """
)
_PAID: Final = text(
    """
    SELECT channel, device_key_id IS NOT NULL AS at_kiosk, count(*) AS payments,
           sum(received_fen)::bigint AS received_fen
    FROM payment WHERE received_fen IS NOT NULL AND paid_at IS NOT NULL
    GROUP BY channel, at_kiosk ORDER BY channel, at_kiosk
    """
)
