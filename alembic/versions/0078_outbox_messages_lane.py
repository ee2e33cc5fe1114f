"""Give each promise a lane, so that a bank that hangs holds up its own alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is promised already stands in the common lane."""
    op.add_column(
        "outbox_messages",
        sa.Column(
            "lane",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            server_default="main",
        ),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("outbox_messages", "lane")
