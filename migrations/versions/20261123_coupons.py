"""Coupons, each on at most one stay.

Revision: coupons
After: passes
"""

from alembic import op

revision = "coupons"
down_revision = "passes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE coupon (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            kind TEXT NOT NULL,
            value INTEGER NOT NULL,
            until TIMESTAMP WITH TIME ZONE,
            bearer TEXT NOT NULL,
            lots JSONB NOT NULL,
            valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
            after_payment BOOLEAN DEFAULT true NOT NULL,
            issued_by TEXT NOT NULL,
            issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
            session_id UUID,
            attached_by TEXT,
            attached_at TIMESTAMP WITH TIME ZONE,
            withdrawn_by TEXT,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT coupon_pkey PRIMARY KEY (id),
            CONSTRAINT coupon_code_key UNIQUE (code),
            CONSTRAINT coupon_kind_check CHECK (kind IN ('minutes', 'free_until', 'percent', 'amount')),
            CONSTRAINT coupon_until_check CHECK ((kind = 'free_until') = (until IS NOT NULL)),
            CONSTRAINT coupon_value_check CHECK (kind = 'free_until' OR value > 0),
            CONSTRAINT coupon_percent_check CHECK (kind <> 'percent' OR value <= 100),
            CONSTRAINT coupon_attached_check CHECK (
                (session_id IS NULL) = (attached_at IS NULL) AND (attached_at IS NULL) = (attached_by IS NULL)
            ),
            CONSTRAINT coupon_withdrawn_check CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL)),
            CONSTRAINT coupon_either_check CHECK (session_id IS NULL OR withdrawn_at IS NULL),
            CONSTRAINT coupon_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id)
        )
        """
    )
    op.execute("CREATE INDEX coupon_session_id_idx ON coupon (session_id)")


def downgrade() -> None:
    op.execute("DROP TABLE coupon")
