"""The gateway's memory: trades, refunds and what is still to be told, in one SQLite file that survives being killed."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core.clock import instant, milliseconds
from simulator.gateway.trades import (
    MOST_REFUNDS,
    Asked,
    GivenBack,
    ProviderName,
    Refund,
    RefusedError,
    Trade,
    TradeStatus,
    Why,
)

SCHEMA: Final = Path(__file__).with_name("schema.sql")
REFUNDABLE: Final = timedelta(days=365)
_TIMES: Final = frozenset({"expires_at", "created_at", "paid_at", "done_at", "next_at", "acknowledged_at"})
_TRADE: Final = tuple(Trade.__dataclass_fields__)
_REFUND: Final = tuple(Refund.__dataclass_fields__)


class Book:
    """Every move is one transaction; whoever asks later, after a crash too, gets the same answer."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.executescript(SCHEMA.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def open(self, asked: Asked, at: datetime, *, status: TradeStatus = TradeStatus.OPEN) -> Trade:
        """Make a trade, or find the one with this number and the same content.

        Raises:
            RefusedError: ``NUMBER_USED``, ``ALREADY_PAID``, ``CLOSED``.
        """
        with self.transaction() as db:
            known = self.find(asked.provider, asked.order_no, at)
            if known is None:
                if asked.expires_at <= at:
                    raise RefusedError(Why.CLOSED)
                values = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
                values |= {"status": status.value, "created_at": at, "token": f"wx{secrets.token_hex(17)}"}
                _insert(db, "trade", values)
                return self.fetch(asked.provider, asked.order_no, at)
            if known.fingerprint != asked.fingerprint:
                raise RefusedError(Why.NUMBER_USED)
            if known.status is TradeStatus.PAID:
                raise RefusedError(Why.ALREADY_PAID)
            if known.status is TradeStatus.CLOSED:
                raise RefusedError(Why.CLOSED)
            return known

    def find(self, provider: ProviderName, order_no: str, at: datetime) -> Trade | None:
        """A trade as it stands at that instant; an unpaid one past its time is closed."""
        row = self.db.execute(
            "SELECT * FROM trade WHERE provider = ? AND order_no = ?", (provider, order_no)
        ).fetchone()
        return _trade(row, at) if row else None

    def fetch(self, provider: ProviderName, order_no: str, at: datetime) -> Trade:
        """As ``find``.

        Raises:
            RefusedError: ``ABSENT``.
        """
        trade = self.find(provider, order_no, at)
        if trade is None:
            raise RefusedError(Why.ABSENT)
        return trade

    def find_by(self, column: str, value: str, at: datetime) -> Trade | None:
        """A trade by ``token``, ``transaction_id`` or ``order_no`` alone, the newest where two providers have it."""
        if column not in ("token", "transaction_id", "order_no"):
            raise ValueError(column)
        row = self.db.execute(
            f"SELECT * FROM trade WHERE {column} = ? ORDER BY created_at DESC LIMIT 1",  # noqa: S608 - one of three names
            (value,),
        ).fetchone()
        return _trade(row, at) if row else None

    def show(self, trade: Trade) -> None:
        """Somebody scanned the code: from now on a query knows the trade."""
        self._set(trade, "status = 'open'", guard="status = 'prepared'")

    def pay(self, trade: Trade, at: datetime, *, received_fen: int | None = None, coupon_fen: int = 0) -> Trade:
        """Collect the money, and owe the merchant word of it.

        Raises:
            RefusedError: ``ALREADY_PAID``, ``CLOSED``.
        """
        with self.transaction() as db:
            now = self.fetch(trade.provider, trade.order_no, at)
            if now.status is TradeStatus.PAID:
                raise RefusedError(Why.ALREADY_PAID)
            if now.status is TradeStatus.CLOSED:
                raise RefusedError(Why.CLOSED)
            self._set(
                trade,
                "status = 'paid', transaction_id = ?, received_fen = ?, coupon_fen = ?, paid_at = ?",
                _number(at, 28),
                received_fen or trade.amount_fen,
                coupon_fen,
                milliseconds(at),
            )
            _owe(db, trade, None, refunded_fen=0, url=trade.notify_url, at=at)
        return self.fetch(trade.provider, trade.order_no, at)

    def call_off(self, trade: Trade, at: datetime) -> None:
        """Make a trade unpayable; one that is closed stays so.

        Raises:
            RefusedError: ``ALREADY_PAID``.
        """
        with self.transaction():
            if self.fetch(trade.provider, trade.order_no, at).status is TradeStatus.PAID:
                raise RefusedError(Why.ALREADY_PAID)
            self._set(trade, "status = 'closed'")

    def finish(self, trade: Trade, at: datetime) -> None:
        """Past the time for refunds, of which Alipay tells the merchant months later."""
        with self.transaction() as db:
            self._set(trade, "finished = 1", guard="status = 'paid'")
            _owe(db, trade, None, refunded_fen=trade.refunded_fen, url=trade.notify_url, at=at)

    def give_back(
        self, trade: Trade, refund_no: str, amount_fen: int, at: datetime, *, reason: str, notify_url: str | None
    ) -> tuple[Refund, bool]:
        """Begin a refund, or find the one of this number; the second value: whether it is new.

        Raises:
            RefusedError: ``NOT_PAID``, ``NUMBER_USED``, ``TOO_MUCH``, ``TOO_MANY``, ``TOO_LATE``.
        """
        with self.transaction() as db:
            trade = self.fetch(trade.provider, trade.order_no, at)
            if trade.status is not TradeStatus.PAID or trade.received_fen is None or trade.paid_at is None:
                raise RefusedError(Why.NOT_PAID)
            known = self.find_refund(trade.provider, refund_no, order_no=trade.order_no)
            if known is not None:
                if known.amount_fen != amount_fen:
                    raise RefusedError(Why.NUMBER_USED)
                return known, False
            if trade.provider == "wechat" and self.find_refund("wechat", refund_no):
                raise RefusedError(Why.NUMBER_USED)
            if trade.finished or at - trade.paid_at > REFUNDABLE:
                raise RefusedError(Why.TOO_LATE)
            if trade.refunded_fen + amount_fen > trade.received_fen:
                raise RefusedError(Why.TOO_MUCH)
            if len(self.refunds_of(trade)) >= MOST_REFUNDS:
                raise RefusedError(Why.TOO_MANY)
            values: dict[str, Any] = {"provider": trade.provider, "order_no": trade.order_no, "refund_no": refund_no}
            values |= {"refund_id": _number(at, 29), "amount_fen": amount_fen, "reason": reason}
            _insert(db, "refund", values | {"notify_url": notify_url, "status": "processing", "created_at": at})
            self._set(trade, "refunded_fen = refunded_fen + ?", amount_fen)
        return self.fetch_refund(trade.provider, refund_no, order_no=trade.order_no), True

    def end_refund(self, refund: Refund, status: GivenBack, at: datetime) -> Refund:
        """The money has arrived, or cannot; the merchant is owed word of it."""
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE refund SET status = ?, done_at = ?, due_at = NULL WHERE provider = ? AND order_no = ?"
                " AND refund_no = ? AND status = 'processing'",
                (status.value, milliseconds(at), refund.provider, refund.order_no, refund.refund_no),
            ).rowcount
            trade = self.fetch(refund.provider, refund.order_no, at)
            if changed and status is GivenBack.FAILED:
                self._set(trade, "refunded_fen = refunded_fen - ?", refund.amount_fen)
            if changed and refund.notify_url:
                done = self.fetch(refund.provider, refund.order_no, at)
                _owe(db, trade, refund.refund_no, refunded_fen=done.refunded_fen, url=refund.notify_url, at=at)
        return self.fetch_refund(refund.provider, refund.refund_no, order_no=refund.order_no)

    def end_refund_at(self, refund: Refund, due_at: datetime) -> None:
        """When a refund that was accepted is to be done."""
        self.db.execute(
            "UPDATE refund SET due_at = ? WHERE provider = ? AND order_no = ? AND refund_no = ?",
            (milliseconds(due_at), refund.provider, refund.order_no, refund.refund_no),
        )

    def due_refunds(self, at: datetime) -> list[Refund]:
        """Those to be done by now."""
        rows = self.db.execute("SELECT * FROM refund WHERE due_at <= ? ORDER BY due_at", (milliseconds(at),))
        return [_refund(row) for row in rows]

    def find_refund(self, provider: ProviderName, refund_no: str, *, order_no: str | None = None) -> Refund | None:
        """By the merchant's number; Alipay's numbers are unique for an order only."""
        row = self.db.execute(
            "SELECT * FROM refund WHERE provider = ? AND refund_no = ? AND order_no = coalesce(?, order_no)",
            (provider, refund_no, order_no),
        ).fetchone()
        return _refund(row) if row else None

    def fetch_refund(self, provider: ProviderName, refund_no: str, *, order_no: str | None = None) -> Refund:
        """As ``find_refund``.

        Raises:
            RefusedError: ``REFUND_ABSENT``.
        """
        refund = self.find_refund(provider, refund_no, order_no=order_no)
        if refund is None:
            raise RefusedError(Why.REFUND_ABSENT)
        return refund

    def refunds_of(self, trade: Trade) -> list[Refund]:
        """Oldest first."""
        rows = self.db.execute(
            "SELECT * FROM refund WHERE provider = ? AND order_no = ? ORDER BY created_at, refund_no",
            (trade.provider, trade.order_no),
        )
        return [_refund(row) for row in rows]

    def paid_between(self, provider: ProviderName, begin: datetime, end: datetime) -> list[Trade]:
        """Half-open, in the order of payment."""
        rows = self.db.execute(
            "SELECT * FROM trade WHERE provider = ? AND paid_at >= ? AND paid_at < ? ORDER BY paid_at, order_no",
            (provider, milliseconds(begin), milliseconds(end)),
        )
        return [_trade(row, end) for row in rows]

    def refunded_between(self, provider: ProviderName, begin: datetime, end: datetime) -> list[tuple[Refund, Trade]]:
        """Refunds whose money arrived then, half-open, each with its trade."""
        rows = self.db.execute(
            "SELECT * FROM refund WHERE provider = ? AND status = 'done' AND done_at >= ? AND done_at < ?"
            " ORDER BY done_at, refund_no",
            (provider, milliseconds(begin), milliseconds(end)),
        ).fetchall()
        return [(_refund(row), self.fetch(provider, row["order_no"], end)) for row in rows]

    def totals(self) -> dict[str, dict[str, int]]:
        """What was collected and given back by each provider, in fen and in number."""
        rows = self.db.execute(
            "SELECT provider, count(*) AS orders, count(paid_at) AS paid, coalesce(sum(received_fen), 0) AS"
            " received_fen, coalesce(sum(refunded_fen), 0) AS refunded_fen FROM trade GROUP BY provider"
        )
        return {row["provider"]: {key: row[key] for key in row.keys() if key != "provider"} for row in rows}  # noqa: SIM118 - a Row's own names

    def _set(self, trade: Trade, what: str, *values: Any, guard: str = "true") -> None:
        self.db.execute(
            f"UPDATE trade SET {what} WHERE provider = ? AND order_no = ? AND {guard}",  # noqa: S608 - our own words
            (*values, trade.provider, trade.order_no),
        )


def _owe(
    db: sqlite3.Connection, trade: Trade, refund_no: str | None, *, refunded_fen: int, url: str, at: datetime
) -> None:
    values: dict[str, Any] = {"id": secrets.token_hex(16), "provider": trade.provider, "order_no": trade.order_no}
    values |= {"refund_no": refund_no, "refunded_fen": refunded_fen, "url": url, "created_at": at, "next_at": at}
    _insert(db, "notice", values)


def _insert(db: sqlite3.Connection, table: str, values: dict[str, Any]) -> None:
    stored = [milliseconds(value) if isinstance(value, datetime) else value for value in values.values()]
    marks = ", ".join("?" * len(stored))
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", stored)  # noqa: S608 - our own names


def _trade(row: sqlite3.Row, at: datetime) -> Trade:
    values = _values(row, _TRADE)
    values |= {"status": TradeStatus(row["status"]), "finished": bool(row["finished"])}
    if values["status"] in (TradeStatus.OPEN, TradeStatus.PREPARED) and values["expires_at"] <= at:
        values["status"] = TradeStatus.CLOSED
    return Trade(**values)


def _refund(row: sqlite3.Row) -> Refund:
    return Refund(**(_values(row, _REFUND) | {"status": GivenBack(row["status"])}))


def _values(row: sqlite3.Row, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: instant(row[name]) if name in _TIMES and row[name] is not None else row[name] for name in names}


def _number(at: datetime, length: int) -> str:
    """A provider's own number: the day, then digits nobody can guess."""
    day = f"{at:%Y%m%d}"
    return day + "".join(secrets.choice("0123456789") for _ in range(length - len(day)))
