"""Create the table shortages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# MySQL and MariaDB drop microseconds unless told to keep them.
INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "shortages",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("deposit_id", ID, nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("cured_on", sa.Date(), nullable=True),
        sa.Column("cured_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("state IN ('OPEN', 'CURED')", name=op.f("ck_shortages_state")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_shortages_amount_positive")),
        sa.ForeignKeyConstraint(
            ["deposit_id"], ["deposits.id"], name=op.f("fk_shortages_deposit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortages")),
        sa.UniqueConstraint("deposit_id", name=op.f("uq_shortages_deposit_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_shortages_reference")),
    )
    op.create_index(op.f("ix_shortages_case_id_id"), "shortages", ["case_id", "id"], unique=False)
    op.create_index(op.f("ix_shortages_state"), "shortages", ["state"], unique=False)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("shortages")
