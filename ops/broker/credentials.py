"""Issuing, renewing and revoking broker users, and the list of those that are let in."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.audit import AuditEntry, write_audit
from core.errors import InvalidError, LotNotFoundError, NotFoundError
from core.tables import Assignment, BrokerAccount, Lot, Sensor, Space
from ops.services import accounts
from ops.services.accounts import Account

CHANGED: Final = "parking_broker"
"""Notified in the transaction that changes a user."""


class Kind(StrEnum):
    """Whom a user is for."""

    SENSOR = "sensor"
    GATEWAY = "gateway"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Somebody who is to get a user."""

    kind: Kind
    name: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A user with its password, which is known now and never again."""

    account: Account
    password: str = field(repr=False)


async def fetch_sensors(db: AsyncConnection, *, sensor: str | None = None, lot: str | None = None) -> list[Wanted]:
    """One registered sensor, or all that watch a space of a lot now.

    Raises:
        NotFoundError: the registry has no such sensor.
        LotNotFoundError: no lot has this code.
    """
    if lot is None:
        rows = await db.execute(select(Sensor.code).where(Sensor.code == sensor))
    else:
        if (await db.execute(select(Lot.id).where(Lot.code == lot))).first() is None:
            raise LotNotFoundError(f"no lot has the code {lot!r}", lot_id=lot)
        watching = and_(Assignment.sensor_id == Sensor.id, Assignment.during.contains(func.now()))
        of_lot = select(Sensor.code).join(Assignment, watching).join(Space).join(Lot).where(Lot.code == lot)
        rows = await db.execute(of_lot.order_by(Sensor.code))
    found = [Wanted(kind=Kind.SENSOR, name=code) for code in rows.scalars()]
    if not found and sensor is not None:
        raise NotFoundError(f"the registry has no sensor {sensor!r}: add or adopt it first", sensor=sensor)
    return found


async def issue(db: AsyncConnection, wanted: Sequence[Wanted], *, renew: bool, at: datetime) -> list[Issued]:
    """Make a user for each, with a password of its own; those that have one keep it unless it is to be renewed.

    Raises:
        InvalidError: a name or topic that the broker's files cannot hold.
    """
    taken = set() if renew else await _list_issued(db, wanted)
    made: list[Issued] = []
    for each in wanted:
        if (each.kind, each.name) in taken:
            continue
        password = secrets.token_urlsafe(24)
        account = _account(each, accounts.new_hash(password))
        made.append(Issued(account=account, password=password))
        row = {
            "password_hash": account.password_hash,
            "topics": list(each.topics),
            "issued_at": at,
            "revoked_at": None,
        }
        statement = insert(BrokerAccount).values(kind=each.kind.value, name=each.name, **row)
        await db.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=row))
        await write_audit(db, _entry(at, "broker_account.issued", each, after={"topics": list(account.publishes)}))
    if made:
        await _notify(db)
    return made


async def revoke(db: AsyncConnection, wanted: Sequence[Wanted], *, at: datetime) -> list[Wanted]:
    """Lock these out; returns those that had a user."""
    locked_out = []
    for each in wanted:
        one = (BrokerAccount.kind == each.kind.value, BrokerAccount.name == each.name)
        row = update(BrokerAccount).where(*one, BrokerAccount.revoked_at.is_(None)).values(revoked_at=at)
        if (await db.execute(row.returning(BrokerAccount.id))).first() is not None:
            locked_out.append(each)
            await write_audit(db, _entry(at, "broker_account.revoked", each))
    if locked_out:
        await _notify(db)
    return locked_out


async def list_admitted(db: AsyncConnection) -> list[Account]:
    """Every user that is let in: issued, not revoked and, of sensors, known to the registry; by kind and name."""
    columns = (BrokerAccount.kind, BrokerAccount.name, BrokerAccount.topics, BrokerAccount.password_hash)
    registered = select(Sensor.id).where(Sensor.code == BrokerAccount.name).exists()
    admitted = (
        select(*columns)
        .where(BrokerAccount.revoked_at.is_(None), or_(BrokerAccount.kind != Kind.SENSOR.value, registered))
        .order_by(BrokerAccount.kind, BrokerAccount.name)
    )
    return [
        _account(Wanted(kind=Kind(kind), name=name, topics=tuple(topics)), password_hash)
        for kind, name, topics, password_hash in await db.execute(admitted)
    ]


async def _list_issued(db: AsyncConnection, wanted: Iterable[Wanted]) -> set[tuple[Kind, str]]:
    names = [each.name for each in wanted]
    issued = select(BrokerAccount.kind, BrokerAccount.name).where(
        BrokerAccount.name.in_(names), BrokerAccount.revoked_at.is_(None)
    )
    return {(Kind(kind), name) for kind, name in await db.execute(issued)}


def _account(wanted: Wanted, password_hash: str) -> Account:
    try:
        match wanted.kind:
            case Kind.SENSOR:
                return accounts.sensor(wanted.name, password_hash=password_hash)
            case Kind.GATEWAY:
                return accounts.gateway(wanted.name, password_hash=password_hash)
            case Kind.PLATFORM:
                return accounts.platform(wanted.name, topics=wanted.topics, password_hash=password_hash)
    except ValueError as error:
        raise InvalidError(f"the broker cannot have such a user: {error}", name=wanted.name) from error


async def _notify(db: AsyncConnection) -> None:
    await db.execute(select(func.pg_notify(CHANGED, "")))


def _entry(at: datetime, action: str, wanted: Wanted, after: dict[str, list[str]] | None = None) -> AuditEntry:
    return AuditEntry(
        at=at, actor="command", action=action, subject=f"broker_account:{wanted.kind}.{wanted.name}", after=after
    )
