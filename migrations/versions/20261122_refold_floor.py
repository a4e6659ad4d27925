"""What outlives dropped readings: the refold floor, where every fold stood there, and readings older than it.

Revision: refold_floor
After: sensor_vitals
"""

from alembic import op

revision = "refold_floor"
down_revision = "sensor_vitals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE refold_floor (
            "only" BOOLEAN DEFAULT true NOT NULL,
            floor_at TIMESTAMP WITH TIME ZONE DEFAULT '-infinity' NOT NULL,
            CONSTRAINT refold_floor_pkey PRIMARY KEY ("only"),
            CONSTRAINT refold_floor_only_check CHECK ("only")
        )
        """
    )
    op.execute("INSERT INTO refold_floor DEFAULT VALUES")
    op.execute(
        """
        CREATE TABLE fold_base (
            space_id INTEGER NOT NULL,
            floor_at TIMESTAMP WITH TIME ZONE NOT NULL,
            state JSON NOT NULL,
            CONSTRAINT fold_base_pkey PRIMARY KEY (space_id),
            CONSTRAINT fold_base_space_id_fkey FOREIGN KEY(space_id) REFERENCES space (id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE late_evidence (
            sensor_id INTEGER NOT NULL,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            boot BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            occupancy occupancy NOT NULL,
            kind reading_kind NOT NULL,
            space_id INTEGER NOT NULL,
            received_at TIMESTAMP WITH TIME ZONE NOT NULL,
            topic TEXT NOT NULL,
            raw BYTEA NOT NULL,
            CONSTRAINT late_evidence_pkey PRIMARY KEY (sensor_id, observed_at, boot, seq, occupancy, kind)
        )
        """
    )
    op.execute("CREATE INDEX late_evidence_received_at_idx ON late_evidence (received_at)")


def downgrade() -> None:
    op.execute("DROP TABLE late_evidence")
    op.execute("DROP TABLE fold_base")
    op.execute("DROP TABLE refold_floor")
