"""Add what froze a case to the cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what stands on hold today was put there by a person or is lifted by one."""
    op.add_column(
        "cases",
        sa.Column(
            "frozen_by",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            server_default="",
        ),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("cases", "frozen_by")
