"""Price notices, and what stays cost by them; both immutable.

Revision: bills
After: plates
"""

from alembic import op

revision = "bills"
down_revision = "plates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE TABLE tariff (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            CONSTRAINT tariff_pkey PRIMARY KEY (id),
            CONSTRAINT tariff_code_key UNIQUE (code)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE tariff_version (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            tariff_id INTEGER NOT NULL,
            version INTEGER NOT NULL,
            valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
            valid_to TIMESTAMP WITH TIME ZONE,
            document JSONB NOT NULL,
            published_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT tariff_version_pkey PRIMARY KEY (id),
            CONSTRAINT tariff_version_tariff_id_version_key UNIQUE (tariff_id, version),
            CONSTRAINT tariff_version_version_check CHECK (version >= 1),
            CONSTRAINT tariff_version_begins_before_it_ends_check CHECK (valid_to > valid_from),
            CONSTRAINT tariff_version_tariff_id_fkey FOREIGN KEY(tariff_id) REFERENCES tariff (id)
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER tariff_version_is_immutable BEFORE UPDATE OR DELETE ON tariff_version
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TABLE bill (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            session_id UUID NOT NULL,
            session_revision INTEGER NOT NULL,
            replaces_id UUID,
            tariff_version_id INTEGER,
            total_fen BIGINT NOT NULL,
            fee JSONB NOT NULL,
            issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT bill_pkey PRIMARY KEY (id),
            CONSTRAINT bill_total_fen_check CHECK (total_fen >= 0),
            CONSTRAINT bill_session_revision_check CHECK (session_revision >= 1),
            CONSTRAINT bill_id_session_id_key UNIQUE (id, session_id),
            CONSTRAINT bill_replaces_id_key UNIQUE (replaces_id),
            CONSTRAINT bill_session_id_session_revision_key UNIQUE (session_id, session_revision),
            CONSTRAINT bill_replaces_fkey FOREIGN KEY(replaces_id, session_id) REFERENCES bill (id, session_id),
            CONSTRAINT bill_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id),
            CONSTRAINT bill_tariff_version_id_fkey FOREIGN KEY(tariff_version_id) REFERENCES tariff_version (id)
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER bill_is_immutable BEFORE UPDATE OR DELETE ON bill
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE VIEW current_bill AS
            SELECT bill.* FROM bill WHERE NOT EXISTS (SELECT FROM bill AS later WHERE later.replaces_id = bill.id)
        """
    )
    op.execute("CREATE UNIQUE INDEX bill_one_first ON bill (session_id) WHERE replaces_id IS NULL")


def downgrade() -> None:
    op.execute("DROP VIEW current_bill")
    op.execute("DROP TABLE bill")
    op.execute("DROP TABLE tariff_version")
    op.execute("DROP TABLE tariff")
    op.execute("DROP FUNCTION refuse_change")
