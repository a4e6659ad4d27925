"""What a payment's order was asked for with, so that it can be sent again word for word.

Revision: payment_asked
After: receipts_and_closes
"""

from alembic import op

revision = "payment_asked"
down_revision = "receipts_and_closes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE payment ADD COLUMN asked JSONB")


def downgrade() -> None:
    op.execute("ALTER TABLE payment DROP COLUMN asked")
