"""Create the table bank_transfers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "bank_transfers",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("reference", _ascii(15), nullable=False),
        sa.Column("trust_account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", _ascii(20), nullable=False),
        sa.Column("state", _ascii(20), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("deposit_id", sa.BigInteger()),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("ordered_by", sa.String(200), nullable=False),
        sa.Column("settled_on", sa.Date()),
        sa.Column("cancelled_on", sa.Date()),
        sa.CheckConstraint(
            "kind IN ('send_back', 'fee_sweep')", name=op.f("ck_bank_transfers_kind")
        ),
        sa.CheckConstraint(
            "state IN ('ORDERED', 'SETTLED', 'CANCELLED')", name=op.f("ck_bank_transfers_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_transfers")),
        sa.UniqueConstraint("reference", name=op.f("uq_bank_transfers_reference")),
    )
    op.create_index(
        op.f("ix_bank_transfers_settled_on_trust_account_id"),
        "bank_transfers",
        ["settled_on", "trust_account_id"],
        unique=False,
    )


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("bank_transfers")
