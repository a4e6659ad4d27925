"""Evidence knows where it was seen, and may wait for its session; plates and photos are erased.

Revision: plate_evidence
After: arrears
"""

from alembic import op

revision = "plate_evidence"
down_revision = "arrears"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE plate DROP COLUMN erase_at, ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE")
    op.execute(
        """
        ALTER TABLE plate_evidence
            ALTER COLUMN session_id DROP NOT NULL,
            ADD COLUMN space_id INTEGER,
            ADD COLUMN photo_erased_at TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT plate_evidence_space_id_fkey FOREIGN KEY(space_id) REFERENCES space (id),
            ADD CONSTRAINT plate_evidence_somewhere_check CHECK (session_id IS NOT NULL OR space_id IS NOT NULL)
        """
    )
    op.execute("CREATE INDEX plate_evidence_unplaced_idx ON plate_evidence (observed_at) WHERE session_id IS NULL")
    op.execute("CREATE INDEX plate_evidence_photo_idx ON plate_evidence (recorded_at) WHERE photo IS NOT NULL")
    op.execute(
        """
        CREATE UNIQUE INDEX plate_evidence_seen_once_key
        ON plate_evidence (space_id, plate_id, observed_at, recorded_by)
        WHERE source <> 'claim' AND space_id IS NOT NULL
        """
    )
    op.execute("CREATE INDEX parking_session_void_idx ON parking_session (space_id) WHERE status = 'void'")


def downgrade() -> None:
    op.execute("DROP INDEX parking_session_void_idx")
    op.execute("DELETE FROM plate_evidence WHERE session_id IS NULL")
    op.execute("DROP INDEX plate_evidence_seen_once_key, plate_evidence_photo_idx, plate_evidence_unplaced_idx")
    op.execute(
        """
        ALTER TABLE plate_evidence
            ALTER COLUMN session_id SET NOT NULL,
            DROP COLUMN space_id,
            DROP COLUMN photo_erased_at
        """
    )
    op.execute("ALTER TABLE plate DROP COLUMN erased_at, ADD COLUMN erase_at TIMESTAMP WITH TIME ZONE")
