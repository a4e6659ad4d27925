"""TimescaleDB, and equality inside exclusion constraints.

Revision: extensions
After: None
"""

from alembic import op

revision = "extensions"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")


def downgrade() -> None:
    """Leave the extensions: they may be older than we are, and only a superuser could bring them back."""
