"""The journal: insert-only, and no entry that does not balance can be committed (M1).

Revision: journal
After: payments
"""

from alembic import op

revision = "journal"
down_revision = "payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE journal_entry (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            business_key TEXT NOT NULL,
            kind TEXT NOT NULL,
            source TEXT NOT NULL,
            reverses_id BIGINT,
            CONSTRAINT journal_entry_pkey PRIMARY KEY (id),
            CONSTRAINT journal_entry_business_key_key UNIQUE (business_key),
            CONSTRAINT journal_entry_reverses_id_key UNIQUE (reverses_id),
            CONSTRAINT journal_entry_reverses_id_fkey FOREIGN KEY(reverses_id) REFERENCES journal_entry (id)
        )
        """
    )
    op.execute("CREATE INDEX journal_entry_posted_at_idx ON journal_entry (posted_at)")
    op.execute(
        """
        CREATE TABLE journal_line (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            entry_id BIGINT NOT NULL,
            account TEXT NOT NULL,
            debit_fen BIGINT DEFAULT 0 NOT NULL,
            credit_fen BIGINT DEFAULT 0 NOT NULL,
            currency TEXT DEFAULT 'CNY' NOT NULL,
            session_id UUID,
            payment_id UUID,
            CONSTRAINT journal_line_pkey PRIMARY KEY (id),
            CONSTRAINT journal_line_one_side_above_zero_check
                CHECK (debit_fen >= 0 AND credit_fen >= 0 AND (debit_fen = 0) <> (credit_fen = 0)),
            CONSTRAINT journal_line_entry_id_fkey FOREIGN KEY(entry_id) REFERENCES journal_entry (id),
            CONSTRAINT journal_line_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id),
            CONSTRAINT journal_line_payment_id_fkey FOREIGN KEY(payment_id) REFERENCES payment (id)
        )
        """
    )
    op.execute("CREATE INDEX journal_line_account_idx ON journal_line (account)")
    op.execute("CREATE INDEX journal_line_entry_id_idx ON journal_line (entry_id)")
    op.execute("CREATE INDEX journal_line_payment_id_idx ON journal_line (payment_id) WHERE payment_id IS NOT NULL")
    op.execute("CREATE INDEX journal_line_session_id_idx ON journal_line (session_id) WHERE session_id IS NOT NULL")
    op.execute(
        """
        CREATE TABLE journal_digest (
            day DATE NOT NULL,
            last_entry_id BIGINT NOT NULL,
            digest BYTEA NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT journal_digest_pkey PRIMARY KEY (day)
        )
        """
    )
    op.execute(
        """
        CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE entry BIGINT;
        BEGIN
            entry := coalesce((to_jsonb(NEW) ->> 'entry_id')::bigint, NEW.id);
            IF NOT EXISTS (SELECT FROM journal_line WHERE entry_id = entry) OR EXISTS (
                SELECT FROM journal_line WHERE entry_id = entry
                GROUP BY currency HAVING sum(debit_fen) <> sum(credit_fen)
            ) THEN
                RAISE EXCEPTION 'journal entry % does not balance', entry USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER journal_entry_balances AFTER INSERT ON journal_entry
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced()
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER journal_line_balances AFTER INSERT ON journal_line
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced()
        """
    )
    op.execute(
        """
        CREATE TRIGGER journal_entry_is_immutable BEFORE UPDATE OR DELETE ON journal_entry
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER journal_line_is_immutable BEFORE UPDATE OR DELETE ON journal_line
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER journal_digest_is_immutable BEFORE UPDATE OR DELETE ON journal_digest
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE journal_digest")
    op.execute("DROP TABLE journal_line")
    op.execute("DROP TABLE journal_entry")
    op.execute("DROP FUNCTION refuse_unbalanced")
