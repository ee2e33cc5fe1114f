"""Add how much of an advance was ordered back to the company."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0096"
down_revision = "0095"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing counts yet."""
    op.add_column(
        "shortages", sa.Column("repaid_cents", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("shortages", "repaid_cents")
