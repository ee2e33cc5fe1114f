"""Create the table rail_stops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "rail_stops",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "bank",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "rail",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "open_key",
            sa.String(41).with_variant(
                mysql.VARCHAR(41, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("stopped_by_name", sa.String(200), nullable=False),
        sa.Column(
            "stopped_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("lifted_by_name", sa.String(200), nullable=False),
        sa.Column(
            "lifted_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.UniqueConstraint("open_key", name=op.f("uq_rail_stops_open_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rail_stops")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("rail_stops")
