"""Create the table webhook_subscriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def _instant() -> sa.types.TypeEngine[object]:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "webhook_subscriptions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("bank", _ascii(20), nullable=False),
        sa.Column("bank_ref", _ascii(80), nullable=False),
        sa.Column("url", sa.String(300), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("old_secret_sealed", sa.Text(), nullable=False),
        sa.Column("old_until_at", _instant(), nullable=True),
        sa.Column("secret_since_at", _instant(), nullable=False),
        sa.Column("rotating_since_at", _instant(), nullable=True),
        sa.UniqueConstraint("bank", name=op.f("uq_webhook_subscriptions_bank")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_subscriptions")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("webhook_subscriptions")
