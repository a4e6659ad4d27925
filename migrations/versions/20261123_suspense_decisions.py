"""What people decide about money in suspense, with a reason and, above a sum, a second person.

Revision: suspense_decisions
After: plate_evidence
"""

from alembic import op

revision = "suspense_decisions"
down_revision = "plate_evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE suspense_decision (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            entry_id BIGINT NOT NULL,
            outcome TEXT NOT NULL,
            amount_fen BIGINT NOT NULL,
            reason TEXT NOT NULL,
            requested_by TEXT NOT NULL,
            decided_by TEXT,
            status TEXT NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT suspense_decision_pkey PRIMARY KEY (id),
            CONSTRAINT suspense_decision_entry_id_fkey FOREIGN KEY(entry_id) REFERENCES journal_entry (id),
            CONSTRAINT suspense_decision_outcome_check CHECK (outcome IN ('stay', 'paid-out')),
            CONSTRAINT suspense_decision_amount_fen_check CHECK (amount_fen > 0),
            CONSTRAINT suspense_decision_status_check CHECK (status IN ('held', 'rejected', 'done'))
        )
        """
    )
    op.execute("CREATE INDEX suspense_decision_entry_id_idx ON suspense_decision (entry_id)")


def downgrade() -> None:
    op.execute("DROP TABLE suspense_decision")
