"""Add the person who decided to the lines of statements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; lines that are there have none."""
    op.add_column(
        "bank_statement_lines",
        sa.Column("matched_by", sa.String(200), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("bank_statement_lines", "matched_by")
