"""Which scheduled runs have been done.

Revision: jobs
After: accounts
"""

from alembic import op

revision = "jobs"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE job_run (
            job TEXT NOT NULL,
            due_at TIMESTAMP WITH TIME ZONE NOT NULL,
            started_at TIMESTAMP WITH TIME ZONE NOT NULL,
            finished_at TIMESTAMP WITH TIME ZONE,
            outcome TEXT,
            CONSTRAINT job_run_pkey PRIMARY KEY (job, due_at)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE job_run")
