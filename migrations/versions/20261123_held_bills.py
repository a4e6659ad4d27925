"""Bills on thin evidence are held for a person; what is thin is a matter of the lot.

Revision: held_bills
After: exempt_vehicles
"""

from alembic import op

revision = "held_bills"
down_revision = "exempt_vehicles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        ALTER TABLE lot
            ADD COLUMN hold_late_minutes INTEGER DEFAULT 180 NOT NULL,
            ADD COLUMN hold_stay_hours INTEGER DEFAULT 72 NOT NULL,
            ADD COLUMN hold_above_fen BIGINT DEFAULT 30000 NOT NULL,
            ADD CONSTRAINT lot_hold_check
                CHECK (hold_late_minutes >= 0 AND hold_stay_hours >= 0 AND hold_above_fen >= 0)
        """
    )
    op.execute(
        """
        CREATE TABLE bill_hold (
            bill_id UUID NOT NULL,
            session_id UUID NOT NULL,
            reasons JSONB NOT NULL,
            held_at TIMESTAMP WITH TIME ZONE NOT NULL,
            released_at TIMESTAMP WITH TIME ZONE,
            released_by TEXT,
            release_reason TEXT,
            CONSTRAINT bill_hold_pkey PRIMARY KEY (bill_id),
            CONSTRAINT bill_hold_released_check CHECK (
                (released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)
            ),
            CONSTRAINT bill_hold_bill_id_fkey FOREIGN KEY(bill_id) REFERENCES bill (id),
            CONSTRAINT bill_hold_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id)
        )
        """
    )
    op.execute("CREATE INDEX bill_hold_session_id_idx ON bill_hold (session_id)")
    op.execute("CREATE INDEX bill_hold_held_idx ON bill_hold (held_at) WHERE released_at IS NULL")


def downgrade() -> None:
    op.execute("DROP TABLE bill_hold")
    op.execute(
        """
        ALTER TABLE lot
            DROP CONSTRAINT lot_hold_check,
            DROP COLUMN hold_late_minutes,
            DROP COLUMN hold_stay_hours,
            DROP COLUMN hold_above_fen
        """
    )
