"""An order that was paid twice: the second transaction is a payment of its own, so that it can be given back.

Revision: payment_again
After: coupons
"""

from alembic import op

revision = "payment_again"
down_revision = "coupons"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        ALTER TABLE payment
            ADD COLUMN again_of UUID,
            ADD CONSTRAINT payment_again_of_fkey FOREIGN KEY(again_of) REFERENCES payment (id),
            ADD CONSTRAINT payment_again_is_paid_check CHECK (again_of IS NULL OR status = 'paid')
        """
    )
    op.execute("CREATE INDEX payment_again_of_idx ON payment (again_of) WHERE again_of IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE payment DROP COLUMN again_of")
