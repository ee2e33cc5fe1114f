"""Create the table ledger_txn_link."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TRIGGERS = {
    "mysql": [
        "CREATE TRIGGER tr_ledger_txn_link_update BEFORE UPDATE ON ledger_txn_link FOR EACH "
        "ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_txn_link are never "
        "changed'",
        "CREATE TRIGGER tr_ledger_txn_link_delete BEFORE DELETE ON ledger_txn_link FOR EACH "
        "ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_txn_link are never "
        "deleted'",
    ],
    "sqlite": [
        "CREATE TRIGGER tr_ledger_txn_link_update BEFORE UPDATE ON ledger_txn_link FOR "
        "EACH ROW BEGIN SELECT RAISE(ABORT, 'rows of ledger_txn_link are never changed'); "
        "END",
        "CREATE TRIGGER tr_ledger_txn_link_delete BEFORE DELETE ON ledger_txn_link FOR "
        "EACH ROW BEGIN SELECT RAISE(ABORT, 'rows of ledger_txn_link are never deleted'); "
        "END",
    ],
}


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_txn_link",
        sa.Column(
            "txn_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "relation",
            sa.String(12).with_variant(
                mysql.VARCHAR(12, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("exclusive_key", sa.SmallInteger()),
        sa.CheckConstraint(
            "exclusive_key IS NULL OR exclusive_key = 1",
            name=op.f("ck_ledger_txn_link_exclusive_key"),
        ),
        sa.CheckConstraint(
            "relation IN ('reverses', 'captures', 'releases', 'corrects')",
            name=op.f("ck_ledger_txn_link_relation"),
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["ledger_txn.id"], name=op.f("fk_ledger_txn_link_target_id")
        ),
        sa.ForeignKeyConstraint(
            ["txn_id"], ["ledger_txn.id"], name=op.f("fk_ledger_txn_link_txn_id")
        ),
        sa.PrimaryKeyConstraint("txn_id", "relation", name=op.f("pk_ledger_txn_link")),
        sa.UniqueConstraint(
            "target_id",
            "relation",
            "exclusive_key",
            name=op.f("uq_ledger_txn_link_target_id_relation_exclusive_key"),
        ),
    )
    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS["sqlite" if dialect == "sqlite" else "mysql"]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_txn_link")
