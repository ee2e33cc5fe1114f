"""Add the day that a line of a request is for.

Revises: 0064
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rows that are there keep it empty."""
    op.add_column("disbursement_lines", sa.Column("serves_on", sa.Date()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("disbursement_lines", "serves_on")
