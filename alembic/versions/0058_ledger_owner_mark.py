"""Create the table ledger_owner_mark."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_owner_mark",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "seq >= 0",
            name=op.f("ck_ledger_owner_mark_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_owner_mark_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_ledger_owner_mark")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_owner_mark")
