"""``parking explain``: one session from the bytes to the fen, laid out to be read and printed."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.explaining import Explanation, explain, explanation_object, find_session, load_facts
from billing.explaining.chain import Outcome, Role, Seen
from billing.explaining.shape import names_the_best, raw_text
from billing.explaining.words import (
    ENTRY_KINDS,
    NO_ENTRIES,
    NO_PAYMENTS,
    NO_PLATES,
    ROLES,
    STATUS,
    again_text,
    begins_text,
    bill_text,
    ends_text,
    held_text,
    late_text,
    limits_text,
    payment_text,
    source_text,
    span_text,
    unsure_text,
)
from billing.phrases import Lang, minutes_text, said
from billing.wording import CLASS_ASSUMED, why_text
from core.money import yuan_text
from core.occupancy import Reading, order_key
from ingest.decode import decode_again
from ops.asking import in_database
from ops.notices import language
from ops.plate_key import find_plate_vault

app = typer.Typer(add_completion=False)

MINUTE: Final = timedelta(minutes=1)
FEW: Final = 3
"""So many readings in a row that say the same are all shown; of more, the first and the last."""


@app.command(name="explain")
def explain_session(
    session: Annotated[str, typer.Argument(help="A session's id, or a space's code for its newest session.")],
    lang: Annotated[str, typer.Option("--lang", help="zh or en.")] = "zh",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every reading, also those that say nothing new.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole chain as JSON on stdout.")] = False,
) -> None:
    """Why a session begins and ends where it does and costs what it costs; computed again from what is stored.

    Readings with their raw bytes, the notice's rules, every bill with the one that replaced it, evidence with plates
    masked, payments and what the journal says of them. Exit status 1 where computing it again gives something else.
    """
    chosen = language(lang)
    explanation = asyncio.run(in_database(lambda db: _explain(db, session)))
    if as_json:
        typer.echo(json.dumps(explanation_object(explanation, chosen), ensure_ascii=False, indent=1))
    else:
        _Page(explanation, chosen, every=every).print()
    if Outcome.DIFFERENT in {explanation.session_again.outcome, explanation.fee_again.outcome}:
        raise typer.Exit(1)


async def _explain(db: AsyncConnection, words: str) -> Explanation:
    return explain(await load_facts(db, await find_session(db, words), find_plate_vault()))


class _Page:
    """One explanation on paper as wide as the terminal."""

    def __init__(self, explanation: Explanation, lang: Lang, *, every: bool) -> None:
        self._explanation = explanation
        self._lang = lang
        self._every = every
        self._zone = ZoneInfo(explanation.facts.zone)
        self._out = Console(highlight=False, soft_wrap=False)

    def print(self) -> None:
        """All of it."""
        self._session()
        self._readings()
        self._fee()
        self._bills()
        self._evidence()
        self._payments()
        self._journal()
        self._again()

    def _session(self) -> None:
        facts = self._explanation.facts
        self._out.print(
            f"[bold]{escape(facts.space_code)}[/] · {escape(facts.lot_name)} ({escape(facts.lot_code)}) · {facts.id}"
        )
        revision = self._said((f"第 {facts.revision} 版", f"revision {facts.revision}"))
        self._out.print(f"{self._said(STATUS[facts.status])} · {revision}")
        grid = self._grid()
        begins = begins_text(self._explanation, self._lang)
        grid.add_row(self._said(("驶入", "begins")), self._at(facts.entered_at), begins)
        if facts.left_at is not None:
            grid.add_row(
                self._said(("驶离", "ends")), self._at(facts.left_at), ends_text(self._explanation, self._lang) or ""
            )
            length = minutes_text((facts.left_at - facts.entered_at) // MINUTE, self._lang)
            grid.add_row(self._said(("时长", "length")), length, "")
        for begin, end in self._explanation.gaps:
            free = span_text(end - begin, self._lang)
            told = (f"空闲 {free}，短于最小间隔，已合并", f"free for {free}: closed, the lot's shortest gap is longer")
            grid.add_row(self._said(("合并", "gap")), self._at(begin), self._said(told))
        if (unsure := unsure_text(self._explanation, self._lang)) is not None:
            grid.add_row(self._said(("存疑", "unsure")), "", unsure)
        grid.add_row(self._said(("判定", "limits")), "", limits_text(facts.rules, self._lang))
        self._out.print(grid)

    def _readings(self) -> None:
        seen = self._explanation.readings
        self._title("传感器消息", "What the sensor said")
        if not seen:
            self._out.print(self._said(("原始消息已不再保存", "its readings are no longer kept")))
            return
        decoded = sum(_decodes_the_same(one) for one in seen)
        for one in seen if self._every else ():
            self._reading(one)
        for run in () if self._every else _runs(seen):
            self._run(run)
        told = (
            f"共 {len(seen)} 条，其中 {decoded} 条重新解码一致",
            f"{len(seen)} readings, {decoded} decode to the same again",
        )
        self._out.print(f"[dim]{self._said(told)}[/]")

    def _run(self, run: Sequence[Seen]) -> None:
        if len(run) <= FEW:
            for one in run:
                self._reading(one)
            return
        self._reading(run[0])
        between = len(run) - 2
        self._out.print(
            f"  [dim]… {self._said((f'另有 {between} 条内容相同', f'{between} more that say the same'))}[/]"
        )
        self._reading(run[-1])

    def _reading(self, one: Seen) -> None:
        reading = one.reading
        role = self._said(ROLES[one.role])
        late = late_text(one, self._lang)
        numbers = " ".join(
            f"{name} {value}" for name, value in (("boot", reading.boot), ("seq", reading.seq)) if value >= 0
        )
        says = f"{reading.kind} {reading.occupancy}"
        style = "bold" if one.role in {Role.BEGINS, Role.ENDS} else ""
        head = f"  {self._at(reading.at)}  {says:<20} {role:<10} {escape(reading.sensor)} {numbers}"
        self._out.print(f"[{style}]{head}[/]" if style else head)
        received = self._said((f"收到 {self._at(reading.received_at)}", f"received {self._at(reading.received_at)}"))
        self._out.print(f"      {received}" + (f"  [yellow]{escape(late)}[/]" if late else ""))
        self._out.print(f"      [dim]{escape(reading.topic)}[/]")
        self._out.print(f"      [dim]{escape(raw_text(reading.raw))}[/]")

    def _fee(self) -> None:
        tariff, bill = self._explanation.tariff, self._explanation.bill
        self._title("费用", "What it costs")
        if tariff is None or bill is None:
            current = self._explanation.facts.bills[-1:]
            told = bill_text(current[0], self._lang) if current else self._said(("尚无账单", "no bill yet"))
            self._out.print(f"  {told}")
            return
        document = tariff.document
        number = f" · {document.notice.number}" if document.notice.number else ""
        name = self._said((document.name.zh, document.name.en))
        version = self._said((f"第 {tariff.version} 版", f"version {tariff.version}"))
        self._out.print(f"  {escape(name)} ({escape(tariff.code)}, {version}{escape(number)})")
        for rule in tariff.summary(self._lang):
            self._out.print(f"    · {escape(rule)}")
        grid = self._grid()
        for line in bill.lines:
            span = f"{self._at(line.from_at, seconds=False)} – {self._at(line.to_at, seconds=False)}"
            why = escape(why_text(line, self._lang, bill.currency))
            minutes = self._said((f"{line.minutes} 分钟", f"{line.minutes} min"))
            grid.add_row(span, minutes, why, yuan_text(line.amount_fen, bill.currency))
        total = f"[bold]{yuan_text(bill.total_fen, bill.currency)}[/]"
        grid.add_row("", "", f"[bold]{self._said(('合计', 'total'))}[/]", total)
        self._out.print(grid)
        if bill.class_assumed:
            self._out.print(f"  [dim]{CLASS_ASSUMED[self._lang]}[/]")

    def _bills(self) -> None:
        self._title("账单", "Bills")
        grid = self._grid()
        bills = self._explanation.facts.bills
        revisions = {bill.id: bill.session_revision for bill in bills}
        for bill in bills:
            stay = bill.fee.get("bill", {})
            span = " – ".join(
                self._at(datetime.fromisoformat(stay[name]), seconds=False)
                for name in ("entered_at", "left_at")
                if name in stay
            )
            replaced = revisions.get(bill.replaces_id) if bill.replaces_id else None
            note = bill_text(bill, self._lang) or (
                self._said((f"替代第 {replaced} 版账单", f"replaces that for revision {replaced}")) if replaced else ""
            )
            if bill.held_for:
                note = f"{note} {held_text(bill, self._lang)}".strip()
            if bill is bills[-1]:
                note = f"{note} [bold]({self._said(('现行', 'current'))})[/]".strip()
            revision = self._said((f"第 {bill.session_revision} 版", f"revision {bill.session_revision}"))
            grid.add_row(self._at(bill.issued_at), revision, yuan_text(bill.total_fen), span, note)
        self._out.print(grid if bills else f"  {self._said(('尚无账单', 'no bill yet'))}")

    def _evidence(self) -> None:
        self._title("车牌证据", "Plate evidence")
        grid = self._grid()
        for one in self._explanation.facts.evidence:
            sure = f"{one.confidence_percent} %" if one.confidence_percent is not None else ""
            source = source_text(one, self._lang)
            counts = self._said(("以此为准", "counts")) if names_the_best(one, self._explanation.facts) else ""
            seen_by = one.recorded_by or ""
            grid.add_row(self._at(one.observed_at), source, one.plate, one.colour or "", sure, seen_by, counts)
        self._out.print(grid if self._explanation.facts.evidence else f"  {self._said(NO_PLATES)}")

    def _payments(self) -> None:
        self._title("支付", "Payments")
        grid = self._grid()
        for one in self._explanation.facts.payments:
            told = escape(payment_text(one, self._lang))
            grid.add_row(
                self._at(one.created_at), one.channel, yuan_text(one.amount_fen), told, one.transaction_id or ""
            )
        self._out.print(grid if self._explanation.facts.payments else f"  {self._said(NO_PAYMENTS)}")

    def _journal(self) -> None:
        self._title("账务分录", "Journal")
        grid = self._grid()
        for _, lines in groupby(self._explanation.facts.entries, key=lambda one: one.entry_id):
            for index, one in enumerate(lines):
                head = ("", "", "")
                if index == 0:
                    kind = self._said(ENTRY_KINDS.get(one.kind, (one.kind, one.kind)))
                    head = (self._at(one.posted_at), kind, escape(one.source))
                debit = yuan_text(one.debit_fen) if one.debit_fen else ""
                credit = yuan_text(one.credit_fen) if one.credit_fen else ""
                grid.add_row(*head, escape(one.account), debit, credit)
        self._out.print(grid if self._explanation.facts.entries else f"  {self._said(NO_ENTRIES)}")

    def _again(self) -> None:
        self._title("复核", "Computed again from what is stored")
        for name, again in (
            (self._said(("停放", "session")), self._explanation.session_again),
            (self._said(("费用", "fee")), self._explanation.fee_again),
        ):
            self._out.print(f"  {name}: [{_COLOURS[again.outcome]}]{escape(again_text(again, self._lang))}[/]")

    def _grid(self) -> Table:
        return Table(show_header=False, box=None, padding=(0, 0, 0, 2))

    def _title(self, zh: str, en: str) -> None:
        self._out.print(f"\n[bold]{self._said((zh, en))}[/]")

    def _said(self, pair: tuple[str, str]) -> str:
        return said(pair, self._lang)

    def _at(self, at: datetime, *, seconds: bool = True) -> str:
        local = at.astimezone(self._zone)
        if not seconds:
            return f"{local:%m-%d %H:%M}"
        return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"


_COLOURS: Final = {
    Outcome.EQUAL: "green",
    Outcome.DIFFERENT: "bold red",
    Outcome.NOT_KEPT: "yellow",
    Outcome.NOT_YET: "yellow",
}


def _runs(seen: Sequence[Seen]) -> Iterator[list[Seen]]:
    """Readings in a row that say the same and came in their turn."""

    def sort(one: Seen) -> tuple[object, ...]:
        alone = one.role in {Role.BEGINS, Role.ENDS} or one.is_late
        return (one.role, one.reading.kind, one.reading.occupancy, id(one) if alone else None)

    for _, run in groupby(seen, sort):
        yield list(run)


class _AsToday:
    """The registry as far as one sensor goes: by which codec it is read today."""

    def __init__(self, one: Seen) -> None:
        self._one = one

    def codec_of(self, sensor_id: str, /) -> str | None:
        return self._one.reading.codec if sensor_id == self._one.reading.sensor else None


def _decodes_the_same(one: Seen) -> bool:
    """Whether the bytes that came still decode to what is stored."""
    stored = order_key(one.reading.as_reading())
    items = decode_again(one.reading.topic, one.reading.raw, registry=_AsToday(one))
    return any(isinstance(item, Reading) and order_key(item) == stored for item in items)
