"""Create the table ledger_daily."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_daily",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("effective_on", sa.Date(), nullable=False, autoincrement=False),
        sa.Column("dr_cents", sa.BigInteger(), nullable=False),
        sa.Column("cr_cents", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "dr_cents >= 0 AND cr_cents >= 0 AND entries > 0",
            name=op.f("ck_ledger_daily_sums"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_daily_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "effective_on", name=op.f("pk_ledger_daily")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_daily")
