"""Create the table ledger_hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

TRIGGERS = {
    "mysql": [
        "CREATE TRIGGER tr_ledger_hold_update BEFORE UPDATE ON ledger_hold FOR EACH ROW IF "
        "NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.debit_account_id <> "
        "OLD.debit_account_id OR NEW.credit_account_id <> OLD.credit_account_id OR "
        "NEW.amount_cents <> OLD.amount_cents OR NEW.created_at <> OLD.created_at OR "
        "NEW.captured_cents < OLD.captured_cents OR NEW.released_cents < OLD.released_cents "
        "THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_hold are never "
        "changed'; END IF",
        "CREATE TRIGGER tr_ledger_hold_delete BEFORE DELETE ON ledger_hold FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_hold are never "
        "deleted'",
    ],
    "sqlite": [
        "CREATE TRIGGER tr_ledger_hold_update BEFORE UPDATE ON ledger_hold FOR EACH ROW "
        "WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.debit_account_id <> "
        "OLD.debit_account_id OR NEW.credit_account_id <> OLD.credit_account_id OR "
        "NEW.amount_cents <> OLD.amount_cents OR NEW.created_at <> OLD.created_at OR "
        "NEW.captured_cents < OLD.captured_cents OR NEW.released_cents < "
        "OLD.released_cents BEGIN SELECT RAISE(ABORT, 'rows of ledger_hold are never "
        "changed'); END",
        "CREATE TRIGGER tr_ledger_hold_delete BEFORE DELETE ON ledger_hold FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'rows of ledger_hold are never deleted'); END",
    ],
}


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_hold",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "kind",
            sa.String(12).with_variant(
                mysql.VARCHAR(12, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "debit_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "credit_account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("captured_cents", sa.BigInteger(), nullable=False),
        sa.Column("released_cents", sa.BigInteger(), nullable=False),
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
        sa.Column(
            "expires_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column(
            "created_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "amount_cents > 0 AND captured_cents >= 0 AND released_cents >= 0",
            name=op.f("ck_ledger_hold_amounts"),
        ),
        sa.CheckConstraint(
            "captured_cents + released_cents <= amount_cents",
            name=op.f("ck_ledger_hold_covered"),
        ),
        sa.CheckConstraint(
            "kind IN ('reserved', 'uncollected')",
            name=op.f("ck_ledger_hold_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["credit_account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_hold_credit_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["debit_account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_hold_debit_account_id"),
        ),
        sa.ForeignKeyConstraint(["id"], ["ledger_txn.id"], name=op.f("fk_ledger_hold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_hold")),
    )
    op.create_index(
        op.f("ix_ledger_hold_debit_account_id_kind"),
        "ledger_hold",
        ["debit_account_id", "kind"],
        unique=False,
    )
    op.create_index(op.f("ix_ledger_hold_expires_at"), "ledger_hold", ["expires_at"], unique=False)
    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS["sqlite" if dialect == "sqlite" else "mysql"]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_hold")
