"""Add the column direction to payment_runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every run so far pays payees."""
    with op.batch_alter_table("payment_runs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "direction",
                sa.String(3).with_variant(
                    mysql.VARCHAR(3, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
                ),
                server_default="out",
                nullable=False,
            )
        )


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("payment_runs") as batch_op:
        batch_op.drop_column("direction")
