"""Where vehicles stand: city, context, areas, lots, spaces.

Revision: places
After: extensions
"""

from alembic import op

revision = "places"
down_revision = "extensions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE city (
            id SMALLINT NOT NULL,
            name TEXT NOT NULL,
            name_en TEXT,
            geometry JSONB,
            attribution TEXT,
            CONSTRAINT city_pkey PRIMARY KEY (id),
            CONSTRAINT city_only_one_check CHECK (id = 1)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE context (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            name TEXT NOT NULL,
            what TEXT NOT NULL,
            geometry JSONB NOT NULL,
            CONSTRAINT context_pkey PRIMARY KEY (id),
            CONSTRAINT context_what_check CHECK (what IN ('street', 'square', 'water', 'green'))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE area (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            name TEXT NOT NULL,
            level TEXT NOT NULL,
            parent_id INTEGER,
            geometry JSONB NOT NULL,
            CONSTRAINT area_pkey PRIMARY KEY (id),
            CONSTRAINT area_level_check CHECK (level IN ('township', 'street', 'grid')),
            CONSTRAINT area_code_key UNIQUE (code),
            CONSTRAINT area_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES area (id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE lot (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            name TEXT NOT NULL,
            name_en TEXT,
            kind TEXT NOT NULL,
            source TEXT DEFAULT 'sensors' NOT NULL,
            capacity INTEGER,
            tariff TEXT,
            operator TEXT,
            opening_hours TEXT DEFAULT '24/7' NOT NULL,
            zone TEXT NOT NULL,
            entrances JSONB NOT NULL,
            geometry JSONB NOT NULL,
            min_stay_seconds INTEGER DEFAULT 20 NOT NULL,
            min_gap_seconds INTEGER DEFAULT 20 NOT NULL,
            retired_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT lot_pkey PRIMARY KEY (id),
            CONSTRAINT lot_kind_check CHECK (kind IN ('on_street', 'off_street')),
            CONSTRAINT lot_source_check CHECK (source IN ('sensors', 'counter', 'feed')),
            CONSTRAINT lot_counted_has_capacity_check CHECK (source = 'sensors' OR capacity IS NOT NULL),
            CONSTRAINT lot_capacity_check CHECK (capacity >= 0),
            CONSTRAINT lot_seconds_check CHECK (min_stay_seconds >= 0 AND min_gap_seconds >= 0),
            CONSTRAINT lot_code_key UNIQUE (code)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE lot_count (
            lot_id INTEGER NOT NULL,
            occupied INTEGER NOT NULL,
            observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            last_heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT lot_count_pkey PRIMARY KEY (lot_id),
            CONSTRAINT lot_count_occupied_check CHECK (occupied >= 0),
            CONSTRAINT lot_count_lot_id_fkey FOREIGN KEY(lot_id) REFERENCES lot (id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE lot_area (
            lot_id INTEGER NOT NULL,
            area_id INTEGER NOT NULL,
            CONSTRAINT lot_area_pkey PRIMARY KEY (lot_id, area_id),
            CONSTRAINT lot_area_lot_id_fkey FOREIGN KEY(lot_id) REFERENCES lot (id),
            CONSTRAINT lot_area_area_id_fkey FOREIGN KEY(area_id) REFERENCES area (id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE space (
            id INTEGER GENERATED ALWAYS AS IDENTITY,
            code TEXT NOT NULL,
            lot_id INTEGER NOT NULL,
            category TEXT DEFAULT 'standard' NOT NULL,
            geometry JSONB NOT NULL,
            closed_since TIMESTAMP WITH TIME ZONE,
            closed_reason TEXT,
            retired_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT space_pkey PRIMARY KEY (id),
            CONSTRAINT space_category_check
                CHECK (category IN ('standard', 'accessible', 'ev_charging', 'large', 'motorcycle')),
            CONSTRAINT space_code_key UNIQUE (code),
            CONSTRAINT space_lot_id_fkey FOREIGN KEY(lot_id) REFERENCES lot (id)
        )
        """
    )
    op.execute("CREATE INDEX space_lot_id_idx ON space (lot_id)")
    op.execute(
        """
        CREATE TABLE space_area (
            space_id INTEGER NOT NULL,
            area_id INTEGER NOT NULL,
            CONSTRAINT space_area_pkey PRIMARY KEY (space_id, area_id),
            CONSTRAINT space_area_space_id_fkey FOREIGN KEY(space_id) REFERENCES space (id),
            CONSTRAINT space_area_area_id_fkey FOREIGN KEY(area_id) REFERENCES area (id)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE space_area")
    op.execute("DROP TABLE space")
    op.execute("DROP TABLE lot_area")
    op.execute("DROP TABLE lot_count")
    op.execute("DROP TABLE lot")
    op.execute("DROP TABLE area")
    op.execute("DROP TABLE context")
    op.execute("DROP TABLE city")
