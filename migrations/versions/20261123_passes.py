"""Passes and the plates they are for.

Revision: passes
After: held_bills
"""

from alembic import op

revision = "passes"
down_revision = "held_bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE parking_pass (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            kind TEXT NOT NULL,
            lots JSONB NOT NULL,
            windows JSONB NOT NULL,
            rest TEXT NOT NULL,
            valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
            valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
            price_fen BIGINT NOT NULL,
            added_by TEXT NOT NULL,
            added_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by TEXT,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT parking_pass_pkey PRIMARY KEY (id),
            CONSTRAINT parking_pass_kind_check CHECK (kind IN ('monthly', 'off_peak')),
            CONSTRAINT parking_pass_rest_check CHECK (rest IN ('fresh_tiers', 'clock_goes_on')),
            CONSTRAINT parking_pass_begins_before_it_ends_check CHECK (valid_to > valid_from),
            CONSTRAINT parking_pass_price_fen_check CHECK (price_fen >= 0),
            CONSTRAINT parking_pass_ended_check CHECK ((ended_at IS NULL) = (ended_by IS NULL))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE pass_plate (
            pass_id INTEGER NOT NULL,
            plate_id UUID NOT NULL,
            CONSTRAINT pass_plate_pkey PRIMARY KEY (pass_id, plate_id),
            CONSTRAINT pass_plate_pass_id_fkey FOREIGN KEY(pass_id) REFERENCES parking_pass (id),
            CONSTRAINT pass_plate_plate_id_fkey FOREIGN KEY(plate_id) REFERENCES plate (id)
        )
        """
    )
    op.execute("CREATE INDEX pass_plate_plate_id_idx ON pass_plate (plate_id)")


def downgrade() -> None:
    op.execute("DROP TABLE pass_plate")
    op.execute("DROP TABLE parking_pass")
