"""Which scheduled runs have been done: a run is inserted first, so nobody does it twice."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class JobRun(Base):
    """One logical run of a job, by the instant it was due. Pruned by age."""

    __tablename__ = "job_run"

    job: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
