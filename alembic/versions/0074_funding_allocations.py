"""Create the table funding_allocations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0074"
down_revision = "0073"
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
        "funding_allocations",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("funding_request_id", ID, nullable=False),
        sa.Column("deposit_id", ID, nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("allocated_on", sa.Date(), nullable=False),
        sa.Column("taken_back_on", sa.Date(), nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_funding_allocations_amount_positive")),
        sa.ForeignKeyConstraint(
            ["deposit_id"], ["deposits.id"], name=op.f("fk_funding_allocations_deposit_id")
        ),
        sa.ForeignKeyConstraint(
            ["funding_request_id"],
            ["funding_requests.id"],
            name=op.f("fk_funding_allocations_funding_request_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funding_allocations")),
        sa.UniqueConstraint(
            "funding_request_id",
            "deposit_id",
            name=op.f("uq_funding_allocations_funding_request_id_deposit_id"),
        ),
    )
    op.create_index(
        op.f("ix_funding_allocations_deposit_id"),
        "funding_allocations",
        ["deposit_id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("funding_allocations")
