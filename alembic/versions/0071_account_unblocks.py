"""Create the table account_unblocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# MySQL and MariaDB drop microseconds unless told to keep them.
INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "account_unblocks",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("open_account_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.Column("decided_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision_reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["payee_accounts.id"], name=op.f("fk_account_unblocks_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_unblocks")),
        sa.UniqueConstraint("open_account_id", name=op.f("uq_account_unblocks_open_account_id")),
    )
    op.create_index(
        op.f("ix_account_unblocks_account_id_id"),
        "account_unblocks",
        ["account_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("account_unblocks")
