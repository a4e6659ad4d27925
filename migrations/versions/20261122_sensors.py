"""Which sensor watches which space, and when.

Revision: sensors
After: places
"""

from alembic import op

revision = "sensors"
down_revision = "places"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE sensor (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            codec TEXT DEFAULT 'native' NOT NULL,
            heartbeat_seconds INTEGER DEFAULT 3600 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT sensor_pkey PRIMARY KEY (id),
            CONSTRAINT sensor_heartbeat_check CHECK (heartbeat_seconds > 0),
            CONSTRAINT sensor_code_key UNIQUE (code)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE sensor_assignment (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            sensor_id INTEGER NOT NULL,
            space_id INTEGER NOT NULL,
            during TSTZRANGE NOT NULL,
            CONSTRAINT sensor_assignment_pkey PRIMARY KEY (id),
            CONSTRAINT sensor_assignment_one_space EXCLUDE
                USING gist (sensor_id WITH =, during WITH &&) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT sensor_assignment_one_sensor EXCLUDE
                USING gist (space_id WITH =, during WITH &&) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT sensor_assignment_not_empty_check CHECK (NOT isempty(during)),
            CONSTRAINT sensor_assignment_sensor_id_fkey FOREIGN KEY(sensor_id) REFERENCES sensor (id),
            CONSTRAINT sensor_assignment_space_id_fkey FOREIGN KEY(space_id) REFERENCES space (id)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE sensor_assignment")
    op.execute("DROP TABLE sensor")
