"""How sensors are doing: the newest telemetry of each, its history (a hypertable), and verdicts.

At most one row of history an hour for a sensor in good health: 2 300 sensors make 55 000 rows a day.

Revision: sensor_vitals
After: sensor_registry
"""

from alembic import op

revision = "sensor_vitals"
down_revision = "sensor_registry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE sensor_state (
            sensor_id INTEGER NOT NULL,
            last_heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            boot BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            battery_mv INTEGER,
            battery_pct SMALLINT,
            battery_low BOOLEAN,
            rssi_dbm SMALLINT,
            temperature_c FLOAT,
            firmware TEXT,
            CONSTRAINT sensor_state_pkey PRIMARY KEY (sensor_id),
            CONSTRAINT sensor_state_sensor_id_fkey FOREIGN KEY(sensor_id) REFERENCES sensor (id)
        ) WITH (fillfactor = 50)
        """
    )
    op.execute(
        """
        CREATE TABLE sensor_telemetry (
            sensor_id INTEGER NOT NULL,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            battery_mv INTEGER,
            battery_pct SMALLINT,
            battery_low BOOLEAN,
            rssi_dbm SMALLINT,
            temperature_c FLOAT,
            firmware TEXT,
            CONSTRAINT sensor_telemetry_pkey PRIMARY KEY (sensor_id, observed_at)
        )
        """
    )
    op.execute(
        "SELECT create_hypertable('sensor_telemetry', by_range('observed_at', INTERVAL '7 days'),"
        " create_default_indexes => false)"
    )
    op.execute(
        """
        CREATE TABLE sensor_verdict (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            sensor_id INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            began_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT sensor_verdict_pkey PRIMARY KEY (id),
            CONSTRAINT sensor_verdict_sensor_id_fkey FOREIGN KEY(sensor_id) REFERENCES sensor (id),
            CONSTRAINT sensor_verdict_verdict_check CHECK (verdict IN
                ('silent', 'never-heard', 'stuck', 'flapping', 'late', 'low-battery', 'online')),
            CONSTRAINT sensor_verdict_begins_before_it_ends_check CHECK (ended_at >= began_at)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX sensor_verdict_holds_idx ON sensor_verdict (sensor_id, verdict) WHERE ended_at IS NULL"
    )
    op.execute("CREATE INDEX sensor_verdict_sensor_id_began_at_idx ON sensor_verdict (sensor_id, began_at)")


def downgrade() -> None:
    op.execute("DROP TABLE sensor_verdict")
    op.execute("DROP TABLE sensor_telemetry")
    op.execute("DROP TABLE sensor_state")
