"""Create the table shortage_cures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0097"
down_revision = "0096"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "shortage_cures",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "shortage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", _ascii(20), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("deposit_id", sa.BigInteger()),
        sa.Column("cured_on", sa.Date(), nullable=False),
        sa.Column(
            "cured_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("cured_by", sa.String(200), nullable=False),
        sa.CheckConstraint("source IN ('case', 'advance')", name=op.f("ck_shortage_cures_source")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_shortage_cures_amount_positive")),
        sa.ForeignKeyConstraint(
            ["shortage_id"], ["shortages.id"], name=op.f("fk_shortage_cures_shortage_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortage_cures")),
        sa.UniqueConstraint(
            "shortage_id", "number", name=op.f("uq_shortage_cures_shortage_id_number")
        ),
    )


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("shortage_cures")
