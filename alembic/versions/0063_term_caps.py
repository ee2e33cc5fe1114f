"""Create the table term_caps.

Revises: 0062
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0063"
down_revision = "0062"
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
    """Create the table with its constraints."""
    op.create_table(
        "term_caps",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("term_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("period", ascii_text(20), nullable=False),
        sa.Column("amount_cents", sa.BigInteger()),
        sa.Column("quantity_hundredths", sa.Integer()),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.CheckConstraint(
            "(amount_cents IS NULL) <> (quantity_hundredths IS NULL)",
            name=op.f("ck_term_caps_amount_or_quantity"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_term_caps_amount_positive")),
        sa.CheckConstraint(
            "period IN ('item', 'day', 'week', 'journey')", name=op.f("ck_term_caps_period")
        ),
        sa.CheckConstraint("quantity_hundredths > 0", name=op.f("ck_term_caps_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["term_id"], ["contract_terms.id"], name=op.f("fk_term_caps_term_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term_caps")),
        sa.UniqueConstraint("term_id", "number", name=op.f("uq_term_caps_term_id_number")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("term_caps")
