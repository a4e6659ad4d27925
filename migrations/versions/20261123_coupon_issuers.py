"""Who bears coupons, up to which budget, and what each coupon has come to.

Revision: coupon_issuers
After: kiosks
"""

from alembic import op

revision = "coupon_issuers"
down_revision = "kiosks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE coupon_issuer (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            name TEXT NOT NULL,
            is_merchant BOOLEAN NOT NULL,
            budget_fen BIGINT,
            gives_kind TEXT,
            gives_value INTEGER,
            lots JSONB NOT NULL,
            key_digest BYTEA,
            added_by TEXT NOT NULL,
            added_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by TEXT,
            ended_at TIMESTAMP WITH TIME ZONE,
            validations INTEGER DEFAULT 0 NOT NULL,
            CONSTRAINT coupon_issuer_pkey PRIMARY KEY (id),
            CONSTRAINT coupon_issuer_name_key UNIQUE (name),
            CONSTRAINT coupon_issuer_key_digest_key UNIQUE (key_digest),
            CONSTRAINT coupon_issuer_budget_fen_check CHECK (budget_fen >= 0),
            CONSTRAINT coupon_issuer_gives_kind_check CHECK (gives_kind IN ('minutes', 'percent', 'amount')),
            CONSTRAINT coupon_issuer_gives_value_check
                CHECK (gives_value > 0 AND (gives_kind <> 'percent' OR gives_value <= 100)),
            CONSTRAINT coupon_issuer_validates_check
                CHECK ((gives_kind IS NULL) = (gives_value IS NULL) AND (gives_kind IS NULL) = (key_digest IS NULL)),
            CONSTRAINT coupon_issuer_ended_check CHECK ((ended_at IS NULL) = (ended_by IS NULL))
        )
        """
    )
    op.execute("ALTER TABLE coupon ADD COLUMN worth_fen BIGINT DEFAULT 0 NOT NULL")
    op.execute("ALTER TABLE coupon ADD CONSTRAINT coupon_worth_fen_check CHECK (worth_fen >= 0)")
    op.execute("CREATE INDEX coupon_bearer_idx ON coupon (bearer)")


def downgrade() -> None:
    op.execute("DROP INDEX coupon_bearer_idx")
    op.execute("ALTER TABLE coupon DROP COLUMN worth_fen")
    op.execute("DROP TABLE coupon_issuer")
