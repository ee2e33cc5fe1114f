"""Add how much of a shortage the company has paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0095"
down_revision = "0094"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing counts yet."""
    op.add_column(
        "shortages",
        sa.Column("advanced_cents", sa.BigInteger(), nullable=False, server_default="0"),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("shortages", "advanced_cents")
