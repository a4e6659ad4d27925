"""A small town in a real database, written as ingest and the import write it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, cast, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import Database
from core.tables import (
    Assignment,
    City,
    Context,
    DeviceKey,
    Lot,
    LotCount,
    Operator,
    ParkingSession,
    Sensor,
    Space,
    SpaceState,
)
from core.tokens import digest_of, new_secret

HERE = (120.9002, 29.5053)
HEARTBEAT = timedelta(hours=1)
THIS_TRANSACTION = cast(cast(func.pg_current_xact_id(), Text), BigInteger)


def now() -> datetime:
    return datetime.now(UTC)


def square(east: float, north: float = 0.0) -> dict[str, Any]:
    """A small square so many ten-thousandths of a degree from here."""
    lon, lat = HERE[0] + east / 1e4, HERE[1] + north / 1e4
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return {
        "type": "Polygon",
        "coordinates": [[[round(lon + x / 2e4, 7), round(lat + y / 2e4, 7)] for x, y in corners]],
    }


@dataclass
class Town:
    """Writes facts; each method is one committed transaction that wakes whoever listens."""

    database: Database
    spaces: dict[str, int] = field(default_factory=dict)
    sensors: dict[str, int] = field(default_factory=dict)
    lots: dict[str, int] = field(default_factory=dict)

    async def build(self) -> None:
        """Two streets (3 and 2 spaces), a car park that only counts, and a river."""
        async with self.database.transaction() as db:
            await db.execute(insert(City).values(id=1, name="新昌县", name_en="Xinchang County", geometry=None))
            await db.execute(insert(Context).values(name="新昌江", what="water", geometry=square(9)))
            await self._lot(db, "KA", name="文体路", name_en="Wenti Road", spaces=3)
            await self._lot(db, "KB", name="石城东路", name_en=None, spaces=2, north=20)
            await self._lot(db, "GS", name="鼓山停车场", name_en="Gushan", source="counter", capacity=100, north=40)
            await self._wake(db, "parking_registry")

    async def report(self, *codes: str, occupied: bool | None, heard_at: datetime | None = None) -> None:
        """What ingest writes when these spaces were heard."""
        heard_at = heard_at or now()
        occupancy = "unknown" if occupied is None else "occupied" if occupied else "free"
        values = {"occupancy": occupancy, "last_heard_at": heard_at, "written_xid": THIS_TRANSACTION}
        if occupied:
            values["last_occupied_at"] = heard_at
        async with self.database.transaction() as db:
            for code in codes:
                state = upsert(SpaceState).values(space_id=self.spaces[code], changed_at=heard_at, **values)
                await db.execute(state.on_conflict_do_update(index_elements=["space_id"], set_=values))
            await self._wake(db, "parking_state")

    async def count(self, lot: str, occupied: int) -> None:
        """What ingest writes when a counter was heard."""
        values = {"occupied": occupied, "observed_at": now(), "last_heard_at": now()}
        async with self.database.transaction() as db:
            row = upsert(LotCount).values(lot_id=self.lots[lot], **values)
            await db.execute(row.on_conflict_do_update(index_elements=["lot_id"], set_=values))
            await self._wake(db, "parking_state")

    async def session(self, code: str, entered_at: datetime, left_at: datetime | None = None) -> UUID:
        """A session as the fold writes it."""
        async with self.database.transaction() as db:
            row = insert(ParkingSession).values(
                space_id=self.spaces[code],
                sensor_id=self.sensors[code],
                status="ended" if left_at else "open",
                entered_at=entered_at,
                left_at=left_at,
                begin_why="change",
                end_why="change" if left_at else None,
                recorded_at=now(),
                revised_at=now(),
            )
            session_id: UUID = (await db.execute(row.returning(ParkingSession.id))).scalar_one()
        return session_id

    async def change_lot(self, code: str, **values: Any) -> None:
        """What an import does to a lot."""
        async with self.database.transaction() as db:
            await db.execute(update(Lot).where(Lot.code == code).values(**values))
            await self._wake(db, "parking_registry")

    async def add_space(self, lot: str) -> str:
        """What an import does when a lot gains a space; its code."""
        async with self.database.transaction() as db:
            code = await self._space(db, lot, len(self.spaces) + 1)
            await self._wake(db, "parking_registry")
        return code

    async def operator(self, login: str, role: str, password_hash: str) -> None:
        """Somebody who may log in."""
        async with self.database.transaction() as db:
            person = {"login": login, "name": login, "role": role, "password_hash": password_hash}
            await db.execute(insert(Operator).values(person))

    async def key(self, kind: str) -> str:
        """A device's key."""
        key = new_secret(kind)
        async with self.database.transaction() as db:
            await db.execute(insert(DeviceKey).values(kind=kind, name=f"a {kind}", digest=digest_of(key)))
        return key

    async def scalar(self, statement: str) -> Any:
        """One value, by SQL."""
        async with self.database.transaction() as db:
            return (await db.execute(text(statement))).scalar()

    async def _lot(self, db: AsyncConnection, code: str, *, spaces: int = 0, north: float = 0, **values: Any) -> None:
        lot = {
            "source": "sensors",
            "kind": "on_street",
            "tariff": "xinchang-kerb",
            "zone": "Asia/Shanghai",
            "entrances": [[*HERE]],
            "geometry": square(0, north),
        }
        row = insert(Lot).values(code=code, **{**lot, **values}).returning(Lot.id)
        self.lots[code] = (await db.execute(row)).scalar_one()
        for number in range(1, spaces + 1):
            await self._space(db, code, number, north)

    async def _space(self, db: AsyncConnection, lot: str, number: int, north: float = 0) -> str:
        code = f"{lot}-{number:03d}"
        space = insert(Space).values(code=code, lot_id=self.lots[lot], geometry=square(number, north))
        self.spaces[code] = (await db.execute(space.returning(Space.id))).scalar_one()
        sensor = insert(Sensor).values(code=f"s-{code.lower()}", heartbeat_seconds=int(HEARTBEAT.total_seconds()))
        self.sensors[code] = (await db.execute(sensor.returning(Sensor.id))).scalar_one()
        watches = {"sensor_id": self.sensors[code], "space_id": self.spaces[code]}
        await db.execute(insert(Assignment).values(during=Range(None, None), **watches))
        return code

    async def _wake(self, db: AsyncConnection, channel: str) -> None:
        await db.execute(select(func.pg_notify(channel, "1")))


@asynccontextmanager
async def built(url: str) -> AsyncIterator[Town]:
    """The town in this database."""
    town = Town(Database(url, pool_size=2, application="tests"))
    await town.build()
    yield town
    await town.database.close()
