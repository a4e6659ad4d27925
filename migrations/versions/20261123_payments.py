"""Payments, refunds, and what providers said of them.

Revision: payments
After: occupancy_history
"""

from alembic import op

revision = "payments"
down_revision = "occupancy_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE payment (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            purpose TEXT NOT NULL,
            session_id UUID,
            order_no TEXT NOT NULL,
            provider TEXT NOT NULL,
            channel TEXT NOT NULL,
            amount_fen BIGINT NOT NULL,
            tariff_version_id INTEGER,
            quote JSONB,
            covers_to TIMESTAMP WITH TIME ZONE,
            status TEXT NOT NULL,
            late BOOLEAN DEFAULT false NOT NULL,
            why TEXT,
            opened JSONB,
            transaction_id TEXT,
            received_fen BIGINT,
            paid_at TIMESTAMP WITH TIME ZONE,
            device_key_id INTEGER,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            polls INTEGER DEFAULT 0 NOT NULL,
            poll_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT payment_pkey PRIMARY KEY (id),
            CONSTRAINT payment_purpose_check CHECK (purpose IN ('stay', 'pass')),
            CONSTRAINT payment_a_stay_is_paid_for_by_its_session_check
                CHECK ((purpose = 'stay') = (session_id IS NOT NULL)),
            CONSTRAINT payment_order_no_check CHECK (order_no ~ '^[A-Za-z0-9]{6,32}$'),
            CONSTRAINT payment_amount_fen_check CHECK (amount_fen > 0),
            CONSTRAINT payment_received_fen_check CHECK (received_fen > 0),
            CONSTRAINT payment_status_check
                CHECK (status IN ('created', 'sent', 'unknown', 'paid', 'closed', 'failed')),
            CONSTRAINT payment_paid_is_known_whole_check
                CHECK ((status = 'paid') = (paid_at IS NOT NULL AND transaction_id IS NOT NULL
                    AND received_fen IS NOT NULL)),
            CONSTRAINT payment_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id),
            CONSTRAINT payment_order_no_key UNIQUE (order_no),
            CONSTRAINT payment_tariff_version_id_fkey FOREIGN KEY(tariff_version_id) REFERENCES tariff_version (id),
            CONSTRAINT payment_device_key_id_fkey FOREIGN KEY(device_key_id) REFERENCES device_key (id)
        )
        """
    )
    op.execute("CREATE INDEX payment_created_at_idx ON payment (created_at)")
    op.execute("CREATE INDEX payment_poll_idx ON payment (poll_at) WHERE poll_at IS NOT NULL")
    op.execute("CREATE INDEX payment_session_id_idx ON payment (session_id)")
    op.execute("CREATE UNIQUE INDEX payment_transaction_key ON payment (provider, transaction_id)")
    op.execute(
        """
        CREATE TABLE refund (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            payment_id UUID NOT NULL,
            refund_no TEXT NOT NULL,
            amount_fen BIGINT NOT NULL,
            cause TEXT NOT NULL,
            reason TEXT NOT NULL,
            requested_by TEXT NOT NULL,
            approved_by TEXT,
            status TEXT NOT NULL,
            provider_refund_id TEXT,
            why TEXT,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            polls INTEGER DEFAULT 0 NOT NULL,
            poll_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT refund_pkey PRIMARY KEY (id),
            CONSTRAINT refund_refund_no_check CHECK (refund_no ~ '^[A-Za-z0-9]{6,32}$'),
            CONSTRAINT refund_amount_fen_check CHECK (amount_fen > 0),
            CONSTRAINT refund_cause_check CHECK (cause IN ('overpaid', 'correction', 'operator')),
            CONSTRAINT refund_status_check
                CHECK (status IN ('held', 'rejected', 'requested', 'accepted', 'succeeded', 'failed', 'abnormal')),
            CONSTRAINT refund_payment_id_fkey FOREIGN KEY(payment_id) REFERENCES payment (id),
            CONSTRAINT refund_refund_no_key UNIQUE (refund_no)
        )
        """
    )
    op.execute("CREATE INDEX refund_payment_id_idx ON refund (payment_id)")
    op.execute("CREATE INDEX refund_poll_idx ON refund (poll_at) WHERE poll_at IS NOT NULL")
    op.execute(
        """
        CREATE TABLE provider_message (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            provider TEXT NOT NULL,
            source TEXT NOT NULL,
            key TEXT,
            order_no TEXT NOT NULL,
            payment_id UUID,
            outcome TEXT NOT NULL,
            facts JSONB NOT NULL,
            heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT provider_message_pkey PRIMARY KEY (id),
            CONSTRAINT provider_message_source_check
                CHECK (source IN ('notification', 'query', 'close', 'bill', 'refund')),
            CONSTRAINT provider_message_payment_id_fkey FOREIGN KEY(payment_id) REFERENCES payment (id)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX provider_message_key ON provider_message (provider, key)")
    op.execute("CREATE INDEX provider_message_order_no_idx ON provider_message (order_no)")
    op.execute("CREATE INDEX provider_message_payment_id_idx ON provider_message (payment_id)")
    op.execute(
        """
        CREATE TABLE idempotency_key (
            scope TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint BYTEA NOT NULL,
            status INTEGER,
            body JSONB,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT idempotency_key_pkey PRIMARY KEY (scope, key)
        )
        """
    )
    op.execute("CREATE INDEX idempotency_key_created_at_idx ON idempotency_key (created_at)")
    op.execute(
        """
        CREATE TRIGGER provider_message_is_immutable BEFORE UPDATE OR DELETE ON provider_message
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_key")
    op.execute("DROP TABLE provider_message")
    op.execute("DROP TABLE refund")
    op.execute("DROP TABLE payment")
