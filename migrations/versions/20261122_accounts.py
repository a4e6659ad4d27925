"""Who may do what, and the trace it leaves.

Revision: accounts
After: bills
"""

from alembic import op

revision = "accounts"
down_revision = "bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE operator (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            login TEXT NOT NULL,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            disabled_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT operator_pkey PRIMARY KEY (id),
            CONSTRAINT operator_role_check CHECK (role IN ('admin', 'operator', 'warden', 'finance')),
            CONSTRAINT operator_login_key UNIQUE (login)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE login (
            digest BYTEA NOT NULL,
            operator_id INTEGER NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT login_pkey PRIMARY KEY (digest),
            CONSTRAINT login_operator_id_fkey FOREIGN KEY(operator_id) REFERENCES operator (id)
        )
        """
    )
    op.execute("CREATE INDEX login_expires_at_idx ON login (expires_at)")
    op.execute("CREATE INDEX login_operator_id_idx ON login (operator_id)")
    op.execute(
        """
        CREATE TABLE device_key (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            digest BYTEA NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            last_used_at TIMESTAMP WITH TIME ZONE,
            revoked_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT device_key_pkey PRIMARY KEY (id),
            CONSTRAINT device_key_kind_check CHECK (kind IN ('kiosk', 'uplink', 'camera')),
            CONSTRAINT device_key_digest_key UNIQUE (digest)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE audit (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            before JSONB,
            after JSONB,
            request_id TEXT,
            CONSTRAINT audit_pkey PRIMARY KEY (id)
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_is_insert_only BEFORE UPDATE OR DELETE ON audit
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute("CREATE INDEX audit_at_idx ON audit (at)")
    op.execute("CREATE INDEX audit_subject_idx ON audit (subject)")


def downgrade() -> None:
    op.execute("DROP TABLE audit")
    op.execute("DROP TABLE device_key")
    op.execute("DROP TABLE login")
    op.execute("DROP TABLE operator")
