"""Add the age of a transferred embryo to milestones.

Revises: 0063
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rows that are there keep it empty."""
    op.add_column("case_milestones", sa.Column("embryo_age_days", sa.Integer()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("case_milestones", "embryo_age_days")
