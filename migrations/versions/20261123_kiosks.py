"""Kiosks: where one stands, what it looked for, what it told us.

Revision: kiosks
After: pass_sales
"""

from alembic import op

revision = "kiosks"
down_revision = "pass_sales"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        ALTER TABLE device_key
            ADD COLUMN lot_id INTEGER,
            ADD CONSTRAINT device_key_lot_id_fkey FOREIGN KEY(lot_id) REFERENCES lot (id)
        """
    )
    op.execute(
        """
        CREATE TABLE kiosk_find (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            device_key_id INTEGER NOT NULL,
            by TEXT NOT NULL,
            session_id UUID,
            found_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            wrong INTEGER DEFAULT 0 NOT NULL,
            CONSTRAINT kiosk_find_pkey PRIMARY KEY (id),
            CONSTRAINT kiosk_find_by_check CHECK (by IN ('space', 'plate', 'code')),
            CONSTRAINT kiosk_find_confirmed_check CHECK (confirmed_at IS NULL OR session_id IS NOT NULL),
            CONSTRAINT kiosk_find_wrong_check CHECK (wrong >= 0),
            CONSTRAINT kiosk_find_device_key_id_fkey FOREIGN KEY(device_key_id) REFERENCES device_key (id),
            CONSTRAINT kiosk_find_session_id_fkey FOREIGN KEY(session_id) REFERENCES parking_session (id)
        )
        """
    )
    op.execute("CREATE INDEX kiosk_find_device_key_id_idx ON kiosk_find (device_key_id, found_at)")
    op.execute("CREATE INDEX kiosk_find_found_at_idx ON kiosk_find (found_at)")
    op.execute(
        """
        CREATE TABLE kiosk_event (
            device_key_id INTEGER NOT NULL,
            seq BIGINT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            kind TEXT NOT NULL,
            detail JSONB NOT NULL,
            received_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT kiosk_event_pkey PRIMARY KEY (device_key_id, seq),
            CONSTRAINT kiosk_event_seq_check CHECK (seq > 0),
            CONSTRAINT kiosk_event_kind_check
                CHECK (kind IN ('printer-empty', 'offline', 'online', 'reset', 'help', 'error')),
            CONSTRAINT kiosk_event_device_key_id_fkey FOREIGN KEY(device_key_id) REFERENCES device_key (id)
        )
        """
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE kiosk_event")
    op.execute("DROP TABLE kiosk_find")
    op.execute("ALTER TABLE device_key DROP COLUMN lot_id")
