"""Create the table debit_authorisations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0101"
down_revision = "0100"
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
        "debit_authorisations",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("holder_name", sa.String(length=120), nullable=False),
        sa.Column("account_type", ascii_text(20), nullable=False),
        sa.Column("routing_number", ascii_text(9), nullable=False),
        sa.Column("account_number_sealed", sa.Text(), nullable=False),
        sa.Column("account_fingerprint", ascii_text(64), nullable=False),
        sa.Column("last_four", ascii_text(4), nullable=False),
        sa.Column("sec_code", ascii_text(3), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("paper", sa.String(length=200), nullable=False),
        sa.Column("given_by", sa.String(length=200), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("given_from", ascii_text(45), nullable=False),
        sa.Column("checked_by", sa.String(length=200), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=True),
        sa.Column("check_note", sa.String(length=300), nullable=False),
        sa.Column("ended_by", sa.String(length=200), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_reason", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "account_type IN ('checking', 'savings')",
            name=op.f("ck_debit_authorisations_account_type"),
        ),
        sa.CheckConstraint(
            "state IN ('GIVEN', 'ACTIVE', 'REVOKED', 'BLOCKED')",
            name=op.f("ck_debit_authorisations_state"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_debit_authorisations_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debit_authorisations")),
        sa.UniqueConstraint("reference", name=op.f("uq_debit_authorisations_reference")),
    )
    op.create_index(
        op.f("ix_debit_authorisations_account_fingerprint"),
        "debit_authorisations",
        ["account_fingerprint"],
        unique=False,
    )
    op.create_index(
        op.f("ix_debit_authorisations_case_id_id"),
        "debit_authorisations",
        ["case_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("debit_authorisations")
