"""Users of the broker, issued to sensors, gateways and platforms.

Revision: broker_accounts
After: jobs
"""

from alembic import op

revision = "broker_accounts"
down_revision = "jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE broker_account (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            topics TEXT[] NOT NULL,
            issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
            revoked_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT broker_account_pkey PRIMARY KEY (id),
            CONSTRAINT broker_account_kind_name_key UNIQUE (kind, name),
            CONSTRAINT broker_account_kind_check CHECK (kind IN ('sensor', 'gateway', 'platform')),
            CONSTRAINT broker_account_topics_check CHECK ((kind = 'platform') = (cardinality(topics) > 0))
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE broker_account")
