"""The calendar of working days as a table that operators correct, and free days by decree.

Revision: calendar
After: payment_asked
"""

from alembic import op

revision = "calendar"
down_revision = "payment_asked"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE calendar_day (
            day DATE NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            source TEXT NOT NULL,
            reason TEXT,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_by TEXT,
            CONSTRAINT calendar_day_pkey PRIMARY KEY (day),
            CONSTRAINT calendar_day_kind_check CHECK (kind IN ('workday', 'rest', 'holiday')),
            CONSTRAINT calendar_day_source_check CHECK (source IN ('library', 'operator'))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE calendar_year (
            year INTEGER NOT NULL,
            source TEXT NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT calendar_year_pkey PRIMARY KEY (year),
            CONSTRAINT calendar_year_source_check CHECK (source IN ('library', 'operator'))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE free_decree (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            first_day DATE NOT NULL,
            last_day DATE NOT NULL,
            lot TEXT,
            tariff TEXT,
            reason TEXT NOT NULL,
            decreed_by TEXT NOT NULL,
            decreed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by TEXT,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT free_decree_pkey PRIMARY KEY (id),
            CONSTRAINT free_decree_begins_before_it_ends_check CHECK (first_day <= last_day),
            CONSTRAINT free_decree_length_check CHECK (last_day - first_day < 366),
            CONSTRAINT free_decree_ended_check CHECK ((ended_at IS NULL) = (ended_by IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX free_decree_last_day_idx ON free_decree (last_day) WHERE ended_at IS NULL")


def downgrade() -> None:
    op.execute("DROP TABLE free_decree")
    op.execute("DROP TABLE calendar_year")
    op.execute("DROP TABLE calendar_day")
