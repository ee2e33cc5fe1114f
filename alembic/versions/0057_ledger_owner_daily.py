"""Create the table ledger_owner_daily."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_owner_daily",
        sa.Column("owner_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column(
            "kind",
            sa.String(32).with_variant(
                mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("effective_on", sa.Date(), nullable=False, autoincrement=False),
        sa.Column("dr_cents", sa.BigInteger(), nullable=False),
        sa.Column("cr_cents", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "dr_cents >= 0 AND cr_cents >= 0 AND entries > 0",
            name=op.f("ck_ledger_owner_daily_sums"),
        ),
        sa.PrimaryKeyConstraint(
            "owner_id", "kind", "effective_on", name=op.f("pk_ledger_owner_daily")
        ),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_owner_daily")
