"""Vehicles that pay nothing, and a way from a plate to the sessions it was seen in.

Revision: exempt_vehicles
After: calendar
"""

from alembic import op

revision = "exempt_vehicles"
down_revision = "calendar"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE exempt_vehicle (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            plate_id UUID NOT NULL,
            lots JSONB NOT NULL,
            valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
            valid_to TIMESTAMP WITH TIME ZONE,
            reason TEXT NOT NULL,
            added_by TEXT NOT NULL,
            added_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by TEXT,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT exempt_vehicle_pkey PRIMARY KEY (id),
            CONSTRAINT exempt_vehicle_begins_before_it_ends_check CHECK (valid_to > valid_from),
            CONSTRAINT exempt_vehicle_ended_check CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
            CONSTRAINT exempt_vehicle_plate_id_fkey FOREIGN KEY(plate_id) REFERENCES plate (id)
        )
        """
    )
    op.execute("CREATE INDEX exempt_vehicle_plate_id_idx ON exempt_vehicle (plate_id)")
    op.execute("CREATE INDEX plate_evidence_plate_id_idx ON plate_evidence (plate_id)")


def downgrade() -> None:
    op.execute("DROP INDEX plate_evidence_plate_id_idx")
    op.execute("DROP TABLE exempt_vehicle")
