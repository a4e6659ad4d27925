"""What the rules of folding were before they were changed, so that a session can be folded again by those of its time.

Revision: past_rules
After: coupon_issuers
"""

from alembic import op

revision = "past_rules"
down_revision = "coupon_issuers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE past_lot_rules (
            lot_id INTEGER NOT NULL,
            until TIMESTAMP WITH TIME ZONE NOT NULL,
            min_stay_seconds INTEGER NOT NULL,
            min_gap_seconds INTEGER NOT NULL,
            CONSTRAINT past_lot_rules_pkey PRIMARY KEY (lot_id, until),
            CONSTRAINT past_lot_rules_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES lot (id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE past_sensor_rhythm (
            sensor_id INTEGER NOT NULL,
            until TIMESTAMP WITH TIME ZONE NOT NULL,
            heartbeat_seconds INTEGER NOT NULL,
            CONSTRAINT past_sensor_rhythm_pkey PRIMARY KEY (sensor_id, until),
            CONSTRAINT past_sensor_rhythm_sensor_id_fkey FOREIGN KEY (sensor_id) REFERENCES sensor (id)
        )
        """
    )
    op.execute(
        """
        CREATE FUNCTION keep_past_lot_rules() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO past_lot_rules (lot_id, until, min_stay_seconds, min_gap_seconds)
            VALUES (OLD.id, clock_timestamp(), OLD.min_stay_seconds, OLD.min_gap_seconds);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION keep_past_sensor_rhythm() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO past_sensor_rhythm (sensor_id, until, heartbeat_seconds)
            VALUES (OLD.id, clock_timestamp(), OLD.heartbeat_seconds);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER lot_keeps_its_past_rules AFTER UPDATE ON lot FOR EACH ROW
            WHEN ((OLD.min_stay_seconds, OLD.min_gap_seconds) IS DISTINCT FROM
                  (NEW.min_stay_seconds, NEW.min_gap_seconds))
            EXECUTE FUNCTION keep_past_lot_rules()
        """
    )
    op.execute(
        """
        CREATE TRIGGER sensor_keeps_its_past_rhythm AFTER UPDATE ON sensor FOR EACH ROW
            WHEN (OLD.heartbeat_seconds IS DISTINCT FROM NEW.heartbeat_seconds)
            EXECUTE FUNCTION keep_past_sensor_rhythm()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER sensor_keeps_its_past_rhythm ON sensor")
    op.execute("DROP TRIGGER lot_keeps_its_past_rules ON lot")
    op.execute("DROP FUNCTION keep_past_sensor_rhythm()")
    op.execute("DROP FUNCTION keep_past_lot_rules()")
    op.execute("DROP TABLE past_sensor_rhythm")
    op.execute("DROP TABLE past_lot_rules")
