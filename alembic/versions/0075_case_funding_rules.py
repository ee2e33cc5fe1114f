"""Create the table case_funding_rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "case_funding_rules",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("rule", ascii_text(20), nullable=False),
        sa.Column("key", ascii_text(40), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "amount_cents >= 0", name=op.f("ck_case_funding_rules_amount_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_funding_rules_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_funding_rules")),
        sa.UniqueConstraint(
            "case_id", "rule", "key", name=op.f("uq_case_funding_rules_case_id_rule_key")
        ),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("case_funding_rules")
