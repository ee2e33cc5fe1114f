"""Name the bank of each trust account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; accounts that are there leave files for their bank."""
    op.add_column(
        "trust_accounts",
        sa.Column(
            "bank_code",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            server_default="filedrop",
        ),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("trust_accounts", "bank_code")
