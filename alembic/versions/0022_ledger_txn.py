"""Create the table ledger_txn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TRIGGERS = {
    "mysql": [
        "CREATE TRIGGER tr_ledger_txn_update BEFORE UPDATE ON ledger_txn FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_txn are never changed'",
        "CREATE TRIGGER tr_ledger_txn_delete BEFORE DELETE ON ledger_txn FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_txn are never deleted'",
    ],
    "sqlite": [
        "CREATE TRIGGER tr_ledger_txn_update BEFORE UPDATE ON ledger_txn FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'rows of ledger_txn are never changed'); END",
        "CREATE TRIGGER tr_ledger_txn_delete BEFORE DELETE ON ledger_txn FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'rows of ledger_txn are never deleted'); END",
    ],
}


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_txn",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("book_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("phase", sa.SmallInteger(), nullable=False),
        sa.Column("idem_key", sa.BINARY(16), nullable=False),
        sa.Column("request_hash", sa.BINARY(32), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column(
            "posted_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("actor_id", sa.BigInteger()),
        sa.Column("actor_name", sa.String(120), nullable=False),
        sa.Column(
            "category",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column(
            "counterparty_ref",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "source_type",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "source_ref",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("memo", sa.String(200), nullable=False),
        sa.CheckConstraint(
            "kind IN ('DEPOSIT', 'FEE', 'DISBURSEMENT', 'SCHEDULED', 'RETURN', 'REISSUE', 'REFUND', 'BANK_CHARGE', 'CANCELLATION', 'CLEARANCE', 'COLLECTION', 'CORRECTION', 'HOLD', 'INCOME', 'MATCH', 'PULL', 'RECEIPT', 'RELEASE', 'REVERSAL', 'SEND_BACK', 'SETTLEMENT', 'SHORTAGE', 'SHORTAGE_CURE', 'STALE', 'SWEEP', 'TAKE_OVER')",
            name=op.f("ck_ledger_txn_kind"),
        ),
        sa.CheckConstraint(
            "phase IN (0, 1, 2, 3)",
            name=op.f("ck_ledger_txn_phase"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_book.id"], name=op.f("fk_ledger_txn_book_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_txn")),
        sa.UniqueConstraint("book_id", "idem_key", name=op.f("uq_ledger_txn_book_id_idem_key")),
    )
    op.create_index(
        op.f("ix_ledger_txn_effective_on"), "ledger_txn", ["effective_on"], unique=False
    )
    op.create_index(
        op.f("ix_ledger_txn_source_type_source_ref"),
        "ledger_txn",
        ["source_type", "source_ref"],
        unique=False,
    )
    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS["sqlite" if dialect == "sqlite" else "mysql"]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_txn")
