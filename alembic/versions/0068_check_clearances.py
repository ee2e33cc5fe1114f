"""Create the table check_clearances."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "check_clearances",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("deposit_id", ID, nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=True),
        sa.Column("collects_on", sa.Date(), nullable=False),
        sa.Column("collected_on", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("return_reason", sa.String(length=200), nullable=False),
        sa.Column("return_reference", ascii_text(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["deposit_id"], ["deposits.id"], name=op.f("fk_check_clearances_deposit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_clearances")),
        sa.UniqueConstraint("deposit_id", name=op.f("uq_check_clearances_deposit_id")),
    )
    op.create_index(
        op.f("ix_check_clearances_collected_on_returned_on_collects_on"),
        "check_clearances",
        ["collected_on", "returned_on", "collects_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_check_clearances_return_reference"),
        "check_clearances",
        ["return_reference"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("check_clearances")
