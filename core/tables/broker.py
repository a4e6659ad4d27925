"""Who may publish on the broker: users issued to sensors, gateways and platforms, their passwords as hashes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class BrokerAccount(Base):
    """A broker user. One of a sensor lets in only while the registry knows the sensor."""

    __tablename__ = "broker_account"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    """The sensor's, gateway's or platform's own; the broker's user is ``{kind}.{name}``."""
    password_hash: Mapped[str]
    """As the broker's password file has it; the password itself is shown once and not kept."""
    topics: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """Where a platform publishes; empty for the others, whose topics follow from their names."""
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("kind", "name"),
        CheckConstraint("kind IN ('sensor', 'gateway', 'platform')", name="kind"),
        CheckConstraint("(kind = 'platform') = (cardinality(topics) > 0)", name="topics"),
    )
