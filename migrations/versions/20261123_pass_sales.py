"""Passes on sale, orders of them, and the payments that are for such an order.

Revision: pass_sales
After: suspense_decisions
"""

from alembic import op

revision = "pass_sales"
down_revision = "suspense_decisions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE pass_offer (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            name TEXT NOT NULL,
            name_en TEXT NOT NULL,
            lots JSONB NOT NULL,
            windows JSONB NOT NULL,
            rest TEXT NOT NULL,
            days INTEGER NOT NULL,
            price_fen BIGINT NOT NULL,
            zone TEXT NOT NULL,
            added_by TEXT NOT NULL,
            added_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by TEXT,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pass_offer_pkey PRIMARY KEY (id),
            CONSTRAINT pass_offer_code_check CHECK (code ~ '^[a-z0-9][a-z0-9_-]{0,47}$'),
            CONSTRAINT pass_offer_rest_check CHECK (rest IN ('fresh_tiers', 'clock_goes_on')),
            CONSTRAINT pass_offer_days_check CHECK (days BETWEEN 1 AND 3660),
            CONSTRAINT pass_offer_price_fen_check CHECK (price_fen > 0),
            CONSTRAINT pass_offer_ended_check CHECK ((ended_at IS NULL) = (ended_by IS NULL))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX pass_offer_code_key ON pass_offer (code) WHERE ended_at IS NULL")
    op.execute(
        """
        CREATE TABLE pass_order (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            offer_id INTEGER NOT NULL,
            plate_id UUID NOT NULL,
            begins_on DATE NOT NULL,
            status TEXT NOT NULL,
            pass_id INTEGER,
            payment_id UUID,
            days_earned INTEGER DEFAULT 0 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pass_order_pkey PRIMARY KEY (id),
            CONSTRAINT pass_order_status_check CHECK (status IN ('open', 'paid', 'closed', 'refunded')),
            CONSTRAINT pass_order_bought_check
                CHECK ((status IN ('paid', 'refunded')) = (pass_id IS NOT NULL AND payment_id IS NOT NULL)),
            CONSTRAINT pass_order_days_earned_check CHECK (days_earned >= 0),
            CONSTRAINT pass_order_offer_id_fkey FOREIGN KEY(offer_id) REFERENCES pass_offer (id),
            CONSTRAINT pass_order_plate_id_fkey FOREIGN KEY(plate_id) REFERENCES plate (id),
            CONSTRAINT pass_order_pass_id_fkey FOREIGN KEY(pass_id) REFERENCES parking_pass (id),
            CONSTRAINT pass_order_payment_id_fkey FOREIGN KEY(payment_id) REFERENCES payment (id) DEFERRABLE
        )
        """
    )
    op.execute("CREATE INDEX pass_order_plate_id_idx ON pass_order (plate_id)")
    op.execute("CREATE UNIQUE INDEX pass_order_pass_id_key ON pass_order (pass_id)")
    op.execute("CREATE INDEX pass_order_earning_idx ON pass_order (begins_on) WHERE status = 'paid'")
    op.execute(
        """
        ALTER TABLE payment
            ADD COLUMN pass_order_id UUID,
            ADD CONSTRAINT payment_pass_order_id_fkey FOREIGN KEY(pass_order_id) REFERENCES pass_order (id),
            ADD CONSTRAINT payment_a_pass_is_paid_for_by_its_order_check
                CHECK ((purpose = 'pass') = (pass_order_id IS NOT NULL))
        """
    )
    op.execute("CREATE INDEX payment_pass_order_id_idx ON payment (pass_order_id) WHERE pass_order_id IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE payment DROP COLUMN pass_order_id")
    op.execute("DROP TABLE pass_order")
    op.execute("DROP TABLE pass_offer")
