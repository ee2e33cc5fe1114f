"""Add what the review left of a line of a request.

Revises: 0066
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rows that are there keep it empty."""
    op.add_column("disbursement_lines", sa.Column("approved_cents", sa.BigInteger()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("disbursement_lines", "approved_cents")
