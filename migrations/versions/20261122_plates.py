"""Plates as ciphertext and tokens, evidence with source and trust.

Revision: plates
After: sessions
"""

from alembic import op

revision = "plates"
down_revision = "sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE plate (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            ciphertext BYTEA NOT NULL,
            key_number SMALLINT NOT NULL,
            exact_token BYTEA NOT NULL,
            last4_token BYTEA NOT NULL,
            last5_token BYTEA NOT NULL,
            skeleton_token BYTEA NOT NULL,
            first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
            erase_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT plate_pkey PRIMARY KEY (id)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX plate_exact_token_key ON plate (key_number, exact_token)")
    op.execute("CREATE INDEX plate_last4_token_idx ON plate (last4_token)")
    op.execute("CREATE INDEX plate_last5_token_idx ON plate (last5_token)")
    op.execute("CREATE INDEX plate_skeleton_token_idx ON plate (skeleton_token)")
    op.execute(
        """
        CREATE TABLE plate_evidence (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            session_id UUID NOT NULL,
            plate_id UUID NOT NULL,
            source TEXT NOT NULL,
            colour TEXT,
            confidence_percent SMALLINT,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            recorded_by TEXT,
            photo TEXT,
            CONSTRAINT plate_evidence_pkey PRIMARY KEY (id),
            CONSTRAINT plate_evidence_source_check CHECK (source IN ('warden', 'camera', 'claim')),
            CONSTRAINT plate_evidence_confidence_check CHECK (confidence_percent BETWEEN 0 AND 100),
            CONSTRAINT plate_evidence_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id),
            CONSTRAINT plate_evidence_plate_id_fkey FOREIGN KEY(plate_id) REFERENCES plate (id)
        )
        """
    )
    op.execute("CREATE INDEX plate_evidence_session_id_idx ON plate_evidence (session_id)")


def downgrade() -> None:
    op.execute("DROP TABLE plate_evidence")
    op.execute("DROP TABLE plate")
