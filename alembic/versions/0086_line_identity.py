"""Add a name that a corrected statement repeats to the lines of statements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; lines that are there have none."""
    op.add_column(
        "bank_statement_lines",
        sa.Column(
            "identity",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            server_default="",
        ),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("bank_statement_lines", "identity")
