"""Receipts, the providers' bills and the daily close: all insert-only.

Revision: receipts_and_closes
After: journal
"""

from alembic import op

revision = "receipts_and_closes"
down_revision = "journal"
branch_labels = None
depends_on = None

TABLES = ("receipt", "provider_bill", "provider_bill_line", "day_close")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE receipt (
            number TEXT NOT NULL,
            session_id UUID,
            payment_id UUID,
            content JSONB NOT NULL,
            issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT receipt_pkey PRIMARY KEY (number),
            CONSTRAINT receipt_number_check CHECK (number ~ '^[0-9]{8}-[0-9A-HJKMNP-TV-Z]{10}$'),
            CONSTRAINT receipt_of_something_check CHECK (session_id IS NOT NULL OR payment_id IS NOT NULL),
            CONSTRAINT receipt_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id),
            CONSTRAINT receipt_payment_id_fkey FOREIGN KEY(payment_id) REFERENCES payment (id),
            CONSTRAINT receipt_payment_id_key UNIQUE (payment_id)
        )
        """
    )
    op.execute("CREATE INDEX receipt_session_id_idx ON receipt (session_id)")
    op.execute("CREATE UNIQUE INDEX receipt_free_stay_key ON receipt (session_id) WHERE payment_id IS NULL")
    op.execute(
        """
        CREATE TABLE provider_bill (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            provider TEXT NOT NULL,
            day DATE NOT NULL,
            paid_fen BIGINT NOT NULL,
            refunded_fen BIGINT NOT NULL,
            fee_fen BIGINT NOT NULL,
            digest BYTEA NOT NULL,
            imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT provider_bill_pkey PRIMARY KEY (id),
            CONSTRAINT provider_bill_sums_check CHECK (paid_fen >= 0 AND refunded_fen >= 0)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX provider_bill_day_key ON provider_bill (provider, day)")
    op.execute(
        """
        CREATE TABLE provider_bill_line (
            bill_id INTEGER NOT NULL,
            number INTEGER NOT NULL,
            order_no TEXT NOT NULL,
            transaction_id TEXT NOT NULL,
            refund_no TEXT,
            amount_fen BIGINT NOT NULL,
            fee_fen BIGINT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT provider_bill_line_pkey PRIMARY KEY (bill_id, number),
            CONSTRAINT provider_bill_line_amount_fen_check CHECK (amount_fen > 0),
            CONSTRAINT provider_bill_line_bill_id_fkey FOREIGN KEY(bill_id) REFERENCES provider_bill (id)
        )
        """
    )
    op.execute("CREATE INDEX provider_bill_line_transaction_id_idx ON provider_bill_line (transaction_id)")
    op.execute("CREATE INDEX provider_bill_line_refund_no_idx ON provider_bill_line (refund_no)")
    op.execute(
        """
        CREATE TABLE day_close (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            provider TEXT NOT NULL,
            day DATE NOT NULL,
            outcome TEXT NOT NULL,
            sums JSONB NOT NULL,
            differences JSONB NOT NULL,
            closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            closed_by TEXT NOT NULL,
            CONSTRAINT day_close_pkey PRIMARY KEY (id),
            CONSTRAINT day_close_outcome_check CHECK (outcome IN ('balanced', 'explained', 'open'))
        )
        """
    )
    op.execute("CREATE INDEX day_close_day_idx ON day_close (day, provider, id)")
    for table in TABLES:
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_immutable BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION refuse_change()
            """
        )


def downgrade() -> None:
    op.execute("DROP TABLE day_close")
    op.execute("DROP TABLE provider_bill_line")
    op.execute("DROP TABLE provider_bill")
    op.execute("DROP TABLE receipt")
