"""Where vehicles stand: the city, its areas, lots and spaces. Geometries are GeoJSON, WGS-84."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class City(Base):
    """The one city of this installation: its name and, where known, its bounds."""

    __tablename__ = "city"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, default=1)
    name: Mapped[str]
    name_en: Mapped[str | None]
    geometry: Mapped[dict[str, Any] | None]
    attribution: Mapped[str | None]
    """Whom to credit for the data, shown on the map."""

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class Context(Base):
    """A street, square, river or green drawn under the map so that it reads as a town. Replaced by each import."""

    __tablename__ = "context"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    what: Mapped[str]
    geometry: Mapped[dict[str, Any]]

    __table_args__ = (CheckConstraint("what IN ('street', 'square', 'water', 'green')", name="what"),)


class Area(Base):
    """A township, street or grid polygon; lots and spaces resolve to theirs at import."""

    __tablename__ = "area"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    level: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    geometry: Mapped[dict[str, Any]]

    __table_args__ = (CheckConstraint("level IN ('township', 'street', 'grid')", name="level"),)


class Lot(Base):
    """A place with one operator, one price notice and one time zone: a street section or a car park."""

    __tablename__ = "lot"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    source: Mapped[str] = mapped_column(server_default=text("'sensors'"))
    capacity: Mapped[int | None]
    """Stated capacity of a counter or feed lot; a sensors lot has as many places as spaces."""
    tariff: Mapped[str | None]
    """Code of its price notice."""
    operator: Mapped[str | None]
    opening_hours: Mapped[str] = mapped_column(server_default=text("'24/7'"))
    zone: Mapped[str]
    """IANA name: decides where a window opens and a day's cap ends."""
    entrances: Mapped[list[Any]]
    """GeoJSON positions ``[lon, lat]``, where a navigator should lead."""
    geometry: Mapped[dict[str, Any]]
    min_stay_seconds: Mapped[int] = mapped_column(server_default=text("20"))
    min_gap_seconds: Mapped[int] = mapped_column(server_default=text("20"))
    hold_late_minutes: Mapped[int] = mapped_column(server_default=text("180"))
    """A bill is held for a person where its arrival was heard of later than this; 0: never for that."""
    hold_stay_hours: Mapped[int] = mapped_column(server_default=text("72"))
    """And where the stay is longer."""
    hold_above_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("30000"))
    """And where it is higher."""
    retired_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("hold_late_minutes >= 0 AND hold_stay_hours >= 0 AND hold_above_fen >= 0", name="hold"),
        CheckConstraint("kind IN ('on_street', 'off_street')", name="kind"),
        CheckConstraint("source IN ('sensors', 'counter', 'feed')", name="source"),
        CheckConstraint("source = 'sensors' OR capacity IS NOT NULL", name="counted_has_capacity"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("min_stay_seconds >= 0 AND min_gap_seconds >= 0", name="seconds"),
    )


class LotCount(Base):
    """The newest count of a counter or feed lot: an estimate, shown as one."""

    __tablename__ = "lot_count"

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, autoincrement=False)
    occupied: Mapped[int]
    observed_at: Mapped[datetime]
    last_heard_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("occupied >= 0", name="occupied"),)


class LotArea(Base):
    """A lot lies in an area (one of each level at most)."""

    __tablename__ = "lot_area"

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)


class Space(Base):
    """One marked place with a printed code. ``id`` is the small stable integer the map uses."""

    __tablename__ = "space"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    category: Mapped[str] = mapped_column(server_default=text("'standard'"))
    geometry: Mapped[dict[str, Any]]
    closed_since: Mapped[datetime | None]
    """Out of use from then on; outranks whatever its sensor says."""
    closed_reason: Mapped[str | None]
    retired_at: Mapped[datetime | None]
    """No longer listed by its lot; its history stays."""

    __table_args__ = (
        CheckConstraint(
            "category IN ('standard', 'accessible', 'ev_charging', 'large', 'motorcycle')", name="category"
        ),
        Index(None, "lot_id"),
    )


class SpaceArea(Base):
    """A space lies in an area (one of each level at most)."""

    __tablename__ = "space_area"

    space_id: Mapped[int] = mapped_column(ForeignKey("space.id"), primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)
