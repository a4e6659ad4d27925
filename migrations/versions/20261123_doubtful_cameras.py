"""A camera that is not sure identifies nobody.

Revision: doubtful_cameras
After: past_rules
"""

from alembic import op

revision = "doubtful_cameras"
down_revision = "past_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        ALTER TABLE plate_evidence ADD COLUMN is_sure BOOLEAN NOT NULL GENERATED ALWAYS AS (
            source = 'warden' OR (source = 'camera' AND coalesce(confidence_percent, 0) >= 90)
        ) STORED
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE plate_evidence DROP COLUMN is_sure")
