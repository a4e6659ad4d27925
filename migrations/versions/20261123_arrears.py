"""Arrears: what stays owe after they were to be paid; and payments of them.

Revision: arrears
After: payment_again
"""

from alembic import op

revision = "arrears"
down_revision = "payment_again"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE arrear (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            session_id UUID NOT NULL,
            plate_id UUID,
            colour TEXT,
            left_at TIMESTAMP WITH TIME ZONE NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            disputed_at TIMESTAMP WITH TIME ZONE,
            dispute TEXT,
            answered_at TIMESTAMP WITH TIME ZONE,
            answered_by TEXT,
            answer TEXT,
            CONSTRAINT arrear_pkey PRIMARY KEY (id),
            CONSTRAINT arrear_session_id_key UNIQUE (session_id),
            CONSTRAINT arrear_dispute_check CHECK ((disputed_at IS NULL) = (dispute IS NULL)),
            CONSTRAINT arrear_answer_check CHECK (
                (answered_at IS NULL) = (answered_by IS NULL) AND (answered_at IS NULL) = (answer IS NULL)
            ),
            CONSTRAINT arrear_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id),
            CONSTRAINT arrear_plate_id_fkey FOREIGN KEY(plate_id) REFERENCES plate (id)
        )
        """
    )
    op.execute("CREATE INDEX arrear_plate_id_idx ON arrear (plate_id, left_at)")
    op.execute("CREATE INDEX arrear_left_at_idx ON arrear (left_at)")
    op.execute(
        """
        ALTER TABLE payment
            ADD COLUMN arrear_id UUID,
            ADD CONSTRAINT payment_arrear_id_fkey FOREIGN KEY(arrear_id) REFERENCES arrear (id),
            DROP CONSTRAINT payment_purpose_check,
            ADD CONSTRAINT payment_purpose_check CHECK (purpose IN ('stay', 'arrear', 'pass')),
            DROP CONSTRAINT payment_a_stay_is_paid_for_by_its_session_check,
            ADD CONSTRAINT payment_is_for_what_it_says_check CHECK (
                (purpose = 'pass') = (session_id IS NULL) AND (purpose = 'arrear') = (arrear_id IS NOT NULL)
            )
        """
    )
    op.execute("CREATE INDEX payment_arrear_id_idx ON payment (arrear_id) WHERE arrear_id IS NOT NULL")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("UPDATE payment SET purpose = 'stay', arrear_id = NULL WHERE purpose = 'arrear'")
    op.execute(
        """
        ALTER TABLE payment
            DROP CONSTRAINT payment_is_for_what_it_says_check,
            DROP CONSTRAINT payment_purpose_check,
            ADD CONSTRAINT payment_purpose_check CHECK (purpose IN ('stay', 'pass')),
            ADD CONSTRAINT payment_a_stay_is_paid_for_by_its_session_check
                CHECK ((purpose = 'stay') = (session_id IS NOT NULL)),
            DROP COLUMN arrear_id
        """
    )
    op.execute("DROP TABLE arrear")
