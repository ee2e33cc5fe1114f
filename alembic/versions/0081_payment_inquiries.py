"""Create the table payment_inquiries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "payment_inquiries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "instruction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "unknown_since_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("resends", sa.Integer(), nullable=False),
        sa.Column(
            "resent_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column(
            "next_ask_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column("last_answer", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(
            ["instruction_id"],
            ["payment_instructions.id"],
            name=op.f("fk_payment_inquiries_instruction_id"),
        ),
        sa.UniqueConstraint("instruction_id", name=op.f("uq_payment_inquiries_instruction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_inquiries")),
    )
    op.create_index(
        op.f("ix_payment_inquiries_next_ask_at"), "payment_inquiries", ["next_ask_at"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("payment_inquiries")
