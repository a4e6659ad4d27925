"""One vehicle's visit, for ever under one id.

Revision: sessions
After: readings
"""

from alembic import op

revision = "sessions"
down_revision = "readings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE parking_session (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            space_id INTEGER NOT NULL,
            sensor_id INTEGER NOT NULL,
            status TEXT NOT NULL,
            entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            left_at TIMESTAMP WITH TIME ZONE,
            begin_why TEXT NOT NULL,
            end_why TEXT,
            closed_gap_ms INTEGER DEFAULT 0 NOT NULL,
            unsure BOOLEAN DEFAULT false NOT NULL,
            unsure_why TEXT,
            revision INTEGER DEFAULT 1 NOT NULL,
            billed_revision INTEGER,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            revised_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT parking_session_pkey PRIMARY KEY (id),
            CONSTRAINT parking_session_status_check CHECK (status IN ('open', 'ended', 'void')),
            CONSTRAINT parking_session_open_has_no_end_check
                CHECK (status = 'void' OR (status = 'open') = (left_at IS NULL)),
            CONSTRAINT parking_session_begins_before_it_ends_check
                CHECK (left_at > entered_at OR (status = 'void' AND left_at = entered_at)),
            CONSTRAINT parking_session_begin_why_check
                CHECK (begin_why IN ('change', 'heartbeat', 'repeated_change')),
            CONSTRAINT parking_session_end_why_check CHECK (end_why IN ('change', 'last_occupied')),
            CONSTRAINT parking_session_revision_check CHECK (revision >= 1),
            CONSTRAINT parking_session_never_overlap EXCLUDE
                USING gist (space_id WITH =, tstzrange(entered_at, left_at) WITH &&)
                WHERE (status <> 'void') DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT parking_session_space_id_fkey FOREIGN KEY(space_id) REFERENCES space (id),
            CONSTRAINT parking_session_sensor_id_fkey FOREIGN KEY(sensor_id) REFERENCES sensor (id)
        )
        """
    )
    op.execute("CREATE INDEX parking_session_entered_at_idx ON parking_session (entered_at)")
    op.execute("CREATE INDEX parking_session_open_idx ON parking_session (space_id) WHERE status = 'open'")
    op.execute(
        """
        CREATE INDEX parking_session_to_bill_idx ON parking_session (left_at)
        WHERE (status = 'ended' OR (status = 'void' AND billed_revision IS NOT NULL))
            AND billed_revision IS DISTINCT FROM revision
        """
    )
    op.execute("CREATE INDEX parking_session_space_id_entered_at_idx ON parking_session (space_id, entered_at)")


def downgrade() -> None:
    op.execute("DROP TABLE parking_session")
