"""What an operator keeps of a sensor, and which readings are to be looked at again after an assignment changed.

Revision: sensor_registry
After: broker_accounts
"""

from alembic import op

revision = "sensor_registry"
down_revision = "broker_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        ALTER TABLE sensor
            ADD COLUMN maker TEXT,
            ADD COLUMN model TEXT,
            ADD COLUMN battery_low_mv INTEGER,
            ADD COLUMN note TEXT,
            ADD CONSTRAINT sensor_battery_low_mv_check CHECK (battery_low_mv > 0)
        """
    )
    op.execute(
        """
        CREATE TABLE reassignment (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            sensor_id INTEGER NOT NULL,
            from_at TIMESTAMP WITH TIME ZONE,
            asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
            done_at TIMESTAMP WITH TIME ZONE,
            moved INTEGER DEFAULT 0 NOT NULL,
            taken_in INTEGER DEFAULT 0 NOT NULL,
            set_aside INTEGER DEFAULT 0 NOT NULL,
            CONSTRAINT reassignment_pkey PRIMARY KEY (id),
            CONSTRAINT reassignment_sensor_id_fkey FOREIGN KEY(sensor_id) REFERENCES sensor (id)
        )
        """
    )
    op.execute("CREATE INDEX reassignment_sensor_id_idx ON reassignment (sensor_id)")
    op.execute("CREATE INDEX reassignment_pending_idx ON reassignment (id) WHERE done_at IS NULL")


def downgrade() -> None:
    op.execute("DROP TABLE reassignment")
    op.execute("ALTER TABLE sensor DROP COLUMN maker, DROP COLUMN model, DROP COLUMN battery_low_mv, DROP COLUMN note")
