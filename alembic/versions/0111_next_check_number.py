"""Add the column next_check_number to trust_accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every account begins with 1001."""
    with op.batch_alter_table("trust_accounts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("next_check_number", sa.Integer(), server_default="1001", nullable=False)
        )


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("trust_accounts") as batch_op:
        batch_op.drop_column("next_check_number")
