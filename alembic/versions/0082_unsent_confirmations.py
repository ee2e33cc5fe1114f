"""Create the table unsent_confirmations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "unsent_confirmations",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "instruction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column(
            "at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["instruction_id"],
            ["payment_instructions.id"],
            name=op.f("fk_unsent_confirmations_instruction_id"),
        ),
        sa.UniqueConstraint(
            "instruction_id", "user_id", name=op.f("uq_unsent_confirmations_instruction_id_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsent_confirmations")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("unsent_confirmations")
