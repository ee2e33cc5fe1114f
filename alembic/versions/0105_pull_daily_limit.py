"""Add the column pull_daily_limit_cents to trust_accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0105"
down_revision = "0104"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every account gets the house limit."""
    with op.batch_alter_table("trust_accounts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "pull_daily_limit_cents", sa.BigInteger(), server_default="5000000", nullable=True
            )
        )


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("trust_accounts") as batch_op:
        batch_op.drop_column("pull_daily_limit_cents")
