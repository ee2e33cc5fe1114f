"""Create the table ledger_account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TRIGGERS = {
    "mysql": [
        "CREATE TRIGGER tr_ledger_account_update BEFORE UPDATE ON ledger_account FOR EACH "
        "ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_account are never "
        "changed'",
        "CREATE TRIGGER tr_ledger_account_delete BEFORE DELETE ON ledger_account FOR EACH "
        "ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_account are never "
        "deleted'",
    ],
    "sqlite": [
        "CREATE TRIGGER tr_ledger_account_update BEFORE UPDATE ON ledger_account FOR EACH "
        "ROW BEGIN SELECT RAISE(ABORT, 'rows of ledger_account are never changed'); END",
        "CREATE TRIGGER tr_ledger_account_delete BEFORE DELETE ON ledger_account FOR EACH "
        "ROW BEGIN SELECT RAISE(ABORT, 'rows of ledger_account are never deleted'); END",
    ],
}


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_account",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("book_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "code",
            sa.String(80).with_variant(
                mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.String(32).with_variant(
                mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("normal_side", sa.SmallInteger(), nullable=False),
        sa.Column(
            "owner_type",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column("owner_id", sa.BigInteger()),
        sa.Column(
            "created_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind IN ('bank_cash', 'in_transit', 'shortage_receivable', 'bank_charges_recoverable', 'migration', 'case', 'deposits_in_process', 'unidentified_receipts', 'fees_payable', 'returned_payments', 'checks_outstanding', 'stale_items', 'commitments', 'operating_cash', 'fee_income', 'bank_charges', 'shortage_expense', 'due_to_trust')",
            name=op.f("ck_ledger_account_kind"),
        ),
        sa.CheckConstraint(
            "normal_side IN (1, -1)",
            name=op.f("ck_ledger_account_normal_side"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_book.id"], name=op.f("fk_ledger_account_book_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("book_id", "code", name=op.f("uq_ledger_account_book_id_code")),
    )
    op.create_index(
        op.f("ix_ledger_account_owner_type_owner_id"),
        "ledger_account",
        ["owner_type", "owner_id"],
        unique=False,
    )
    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS["sqlite" if dialect == "sqlite" else "mysql"]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_account")
