"""Add to statements which file of the bank withdrew them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0112"
down_revision = "0111"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing was withdrawn until now."""
    op.add_column(
        "bank_statements",
        sa.Column(
            "withdrawn_by_sha256",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            server_default="",
        ),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("bank_statements", "withdrawn_by_sha256")
