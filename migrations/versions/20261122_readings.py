"""What sensors said. 2 300 spaces x 6 readings an hour are 0.33 M rows a day: one chunk a week.

Revision: readings
After: sensors
"""

from alembic import op

revision = "readings"
down_revision = "sensors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE TYPE occupancy AS ENUM ('occupied', 'free', 'unknown')")
    op.execute("CREATE TYPE reading_kind AS ENUM ('boot', 'change', 'heartbeat', 'report')")
    op.execute(
        """
        CREATE TABLE reading (
            sensor_id INTEGER NOT NULL,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            boot BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            occupancy occupancy NOT NULL,
            kind reading_kind NOT NULL,
            space_id INTEGER NOT NULL,
            received_at TIMESTAMP WITH TIME ZONE NOT NULL,
            topic TEXT NOT NULL,
            raw BYTEA NOT NULL,
            battery_mv INTEGER,
            rssi_dbm SMALLINT,
            temperature_c FLOAT,
            CONSTRAINT reading_pkey PRIMARY KEY (sensor_id, observed_at, boot, seq, occupancy, kind)
        )
        """
    )
    op.execute(
        "SELECT create_hypertable('reading', by_range('observed_at', INTERVAL '7 days'),"
        " create_default_indexes => false)"
    )
    op.execute(
        """
        CREATE TABLE uplink_frame (
            sensor_id INTEGER NOT NULL,
            frame_session TEXT NOT NULL,
            f_cnt BIGINT NOT NULL,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT uplink_frame_pkey PRIMARY KEY (sensor_id, frame_session, f_cnt)
        )
        """
    )
    op.execute("CREATE INDEX uplink_frame_observed_at_idx ON uplink_frame (observed_at)")
    op.execute(
        """
        CREATE TABLE refusal (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            digest BYTEA NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            topic TEXT NOT NULL,
            sensor TEXT,
            observed_at TIMESTAMP WITH TIME ZONE,
            payload BYTEA NOT NULL,
            payload_bytes INTEGER NOT NULL,
            first_received_at TIMESTAMP WITH TIME ZONE NOT NULL,
            last_received_at TIMESTAMP WITH TIME ZONE NOT NULL,
            times BIGINT DEFAULT 1 NOT NULL,
            resolved_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT refusal_pkey PRIMARY KEY (id),
            CONSTRAINT refusal_digest_key UNIQUE (digest)
        )
        """
    )
    op.execute("CREATE INDEX refusal_last_received_at_idx ON refusal (last_received_at)")
    op.execute("CREATE INDEX refusal_sensor_idx ON refusal (sensor)")
    op.execute(
        """
        CREATE TABLE space_state (
            space_id INTEGER NOT NULL,
            occupancy occupancy DEFAULT 'unknown' NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE,
            last_heard_at TIMESTAMP WITH TIME ZONE,
            last_occupied_at TIMESTAMP WITH TIME ZONE,
            version BIGINT DEFAULT 0 NOT NULL,
            fold JSON,
            written_xid BIGINT DEFAULT 0 NOT NULL,
            CONSTRAINT space_state_pkey PRIMARY KEY (space_id),
            CONSTRAINT space_state_version_check CHECK (version >= 0),
            CONSTRAINT space_state_space_id_fkey FOREIGN KEY(space_id) REFERENCES space (id)
        ) WITH (fillfactor = 50)
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE space_state")
    op.execute("DROP TABLE refusal")
    op.execute("DROP TABLE uplink_frame")
    op.execute("DROP TABLE reading")
    op.execute("DROP TYPE reading_kind")
    op.execute("DROP TYPE occupancy")
