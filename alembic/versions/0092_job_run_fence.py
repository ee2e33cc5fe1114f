"""Add the fence to the runs of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; runs that are there have had no numbered turn."""
    op.add_column(
        "job_runs",
        sa.Column("fence", sa.Integer(), nullable=False, server_default="0"),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("job_runs", "fence")
