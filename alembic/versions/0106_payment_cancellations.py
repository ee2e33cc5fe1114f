"""Create the table payment_cancellations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def _instant() -> sa.types.TypeEngine[object]:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "payment_cancellations",
        sa.Column("id", _id(), nullable=False, autoincrement=False),
        sa.Column("instruction_id", _id(), nullable=False),
        sa.Column("open_instruction_id", sa.BigInteger(), nullable=True),
        sa.Column("state", _ascii(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("asked_by_user_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_by_name", sa.String(200), nullable=False),
        sa.Column("asked_at", _instant(), nullable=False),
        sa.Column("answer", sa.String(300), nullable=False),
        sa.Column("answered_at", _instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('ASKED', 'CANCELLED', 'TOO_LATE')",
            name=op.f("ck_payment_cancellations_state"),
        ),
        sa.ForeignKeyConstraint(
            ["instruction_id"],
            ["payment_instructions.id"],
            name=op.f("fk_payment_cancellations_instruction_id"),
        ),
        sa.UniqueConstraint(
            "open_instruction_id", name=op.f("uq_payment_cancellations_open_instruction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_cancellations")),
        sa.Index(op.f("ix_payment_cancellations_instruction_id_id"), "instruction_id", "id"),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("payment_cancellations")
