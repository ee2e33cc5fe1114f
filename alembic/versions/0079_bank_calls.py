"""Create the table bank_calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "bank_calls",
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
            "verb",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "reference",
            sa.String(80).with_variant(
                mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("sentence", sa.String(300), nullable=False),
        sa.Column(
            "at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_calls")),
    )
    op.create_index(
        op.f("ix_bank_calls_reference_id"), "bank_calls", ["reference", "id"], unique=False
    )
    op.create_index(op.f("ix_bank_calls_bank_id"), "bank_calls", ["bank", "id"], unique=False)


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("bank_calls")
