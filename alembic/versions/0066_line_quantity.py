"""Add how many units a line of a request asks for.

Revises: 0065
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rows that are there keep it empty."""
    op.add_column("disbursement_lines", sa.Column("quantity_hundredths", sa.Integer()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("disbursement_lines", "quantity_hundredths")
