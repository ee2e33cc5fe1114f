"""Add how much of a shortage is made good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing counts yet."""
    op.add_column(
        "shortages", sa.Column("cured_cents", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("shortages", "cured_cents")
