"""Create the table account_corrections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0072"
down_revision = "0071"
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
        "account_corrections",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("correction_key", ascii_text(64), nullable=False),
        sa.Column("instruction_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("payee_id", ID, nullable=False),
        sa.Column("payee_account_id", ID, nullable=False),
        sa.Column("change_code", ascii_text(3), nullable=False),
        sa.Column("corrected_sealed", sa.Text(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("is_aligned", sa.Boolean(), nullable=False),
        sa.Column("routing_number", ascii_text(9), nullable=False),
        sa.Column("last_four", ascii_text(4), nullable=False),
        sa.Column("account_type", ascii_text(20), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("noted_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("proposed_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=True),
        sa.Column("decided_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("new_account_id", ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('OPEN', 'PROPOSED', 'APPLIED', 'SET_ASIDE')",
            name=op.f("ck_account_corrections_state"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_account_corrections_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["instruction_id"],
            ["payment_instructions.id"],
            name=op.f("fk_account_corrections_instruction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["new_account_id"],
            ["payee_accounts.id"],
            name=op.f("fk_account_corrections_new_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payee_account_id"],
            ["payee_accounts.id"],
            name=op.f("fk_account_corrections_payee_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payee_id"], ["payees.id"], name=op.f("fk_account_corrections_payee_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_corrections")),
        sa.UniqueConstraint("correction_key", name=op.f("uq_account_corrections_correction_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_account_corrections_reference")),
    )
    op.create_index(
        op.f("ix_account_corrections_payee_id"), "account_corrections", ["payee_id"], unique=False
    )
    op.create_index(
        op.f("ix_account_corrections_state_due_on"),
        "account_corrections",
        ["state", "due_on"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("account_corrections")
