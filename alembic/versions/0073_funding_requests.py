"""Create the table funding_requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0073"
down_revision = "0072"
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
        "funding_requests",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("cause", ascii_text(20), nullable=False),
        sa.Column("cause_key", ascii_text(60), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("funded_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("raised_by", sa.String(length=200), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("short_on", sa.Date(), nullable=True),
        sa.Column("short_cents", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "cause IN ('minimum', 'milestone', 'hand')", name=op.f("ck_funding_requests_cause")
        ),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SENT', 'PART_FUNDED', 'FUNDED', 'OVERDUE', 'ESCALATED', 'CANCELLED')",
            name=op.f("ck_funding_requests_state"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_funding_requests_amount_positive")),
        sa.CheckConstraint(
            "funded_cents >= 0 AND funded_cents <= amount_cents",
            name=op.f("ck_funding_requests_funded_within_amount"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funding_requests")),
        sa.UniqueConstraint(
            "case_id",
            "cause",
            "cause_key",
            name=op.f("uq_funding_requests_case_id_cause_cause_key"),
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_funding_requests_reference")),
    )
    op.create_index(op.f("ix_funding_requests_state"), "funding_requests", ["state"], unique=False)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("funding_requests")
