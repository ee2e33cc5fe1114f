"""Create the table ledger_entry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TRIGGERS = {
    "mysql": [
        "CREATE TRIGGER tr_ledger_entry_update BEFORE UPDATE ON ledger_entry FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_entry are never "
        "changed'",
        "CREATE TRIGGER tr_ledger_entry_delete BEFORE DELETE ON ledger_entry FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_entry are never "
        "deleted'",
    ],
    "sqlite": [
        "CREATE TRIGGER tr_ledger_entry_update BEFORE UPDATE ON ledger_entry FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'rows of ledger_entry are never changed'); END",
        "CREATE TRIGGER tr_ledger_entry_delete BEFORE DELETE ON ledger_entry FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'rows of ledger_entry are never deleted'); END",
    ],
}


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_entry",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("txn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column("layer", sa.SmallInteger(), nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted_after_cents", sa.BigInteger(), nullable=False),
        sa.Column("pending_after_cents", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "amount_cents > 0",
            name=op.f("ck_ledger_entry_amount_cents"),
        ),
        sa.CheckConstraint(
            "layer IN (0, 1)",
            name=op.f("ck_ledger_entry_layer"),
        ),
        sa.CheckConstraint(
            "leg >= 0",
            name=op.f("ck_ledger_entry_leg"),
        ),
        sa.CheckConstraint(
            "seq > 0",
            name=op.f("ck_ledger_entry_seq"),
        ),
        sa.CheckConstraint(
            "side IN (1, -1)",
            name=op.f("ck_ledger_entry_side"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_entry_account_id")
        ),
        sa.ForeignKeyConstraint(["txn_id"], ["ledger_txn.id"], name=op.f("fk_ledger_entry_txn_id")),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("txn_id", "leg", name=op.f("uq_ledger_entry_txn_id_leg")),
    )
    op.create_index(
        op.f("ix_ledger_entry_statement"),
        "ledger_entry",
        ["account_id", "effective_on", "seq", "layer", "side", "amount_cents"],
        unique=False,
    )
    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS["sqlite" if dialect == "sqlite" else "mysql"]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_entry")
