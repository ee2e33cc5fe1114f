"""Add the lease to the runs of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; a run that is under way without one may be taken over."""
    op.add_column(
        "job_runs",
        sa.Column(
            "lease_until", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("job_runs", "lease_until")
