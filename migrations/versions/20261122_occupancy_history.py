"""Occupancy by the quarter of an hour. 2 300 spaces x 96 quarters are 0.22 M rows a day: one chunk a week.

Revision: occupancy_history
After: refold_floor
"""

from alembic import op

revision = "occupancy_history"
down_revision = "refold_floor"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE space_quarter (
            space_id INTEGER NOT NULL,
            quarter_at TIMESTAMP WITH TIME ZONE NOT NULL,
            occupied_ms INTEGER NOT NULL,
            heard_ms INTEGER NOT NULL,
            begun SMALLINT NOT NULL,
            ended SMALLINT NOT NULL,
            CONSTRAINT space_quarter_pkey PRIMARY KEY (space_id, quarter_at),
            CONSTRAINT space_quarter_occupied_is_heard_check CHECK (occupied_ms <= heard_ms)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE lot_quarter (
            lot_id INTEGER NOT NULL,
            quarter_at TIMESTAMP WITH TIME ZONE NOT NULL,
            spaces INTEGER NOT NULL,
            occupied_ms BIGINT NOT NULL,
            heard_ms BIGINT NOT NULL,
            begun INTEGER NOT NULL,
            ended INTEGER NOT NULL,
            CONSTRAINT lot_quarter_pkey PRIMARY KEY (lot_id, quarter_at)
        )
        """
    )
    for table, weeks in (("space_quarter", 1), ("lot_quarter", 4)):
        op.execute(
            f"SELECT create_hypertable('{table}', by_range('quarter_at', INTERVAL '{7 * weeks} days'),"
            " create_default_indexes => false)"
        )
    op.execute("ALTER TABLE space_state ADD COLUMN roll_up_from TIMESTAMP WITH TIME ZONE")
    op.execute("UPDATE space_state SET roll_up_from = '-infinity' WHERE fold IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE space_state DROP COLUMN roll_up_from")
    op.execute("DROP TABLE lot_quarter")
    op.execute("DROP TABLE space_quarter")
