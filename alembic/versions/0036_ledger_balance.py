"""Create the table ledger_balance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TRIGGERS = {
    "mysql": [
        "CREATE TRIGGER tr_ledger_balance_delete BEFORE DELETE ON ledger_balance FOR EACH "
        "ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of ledger_balance are never "
        "deleted'"
    ],
    "sqlite": [
        "CREATE TRIGGER tr_ledger_balance_delete BEFORE DELETE ON ledger_balance FOR EACH "
        "ROW BEGIN SELECT RAISE(ABORT, 'rows of ledger_balance are never deleted'); END"
    ],
}


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "ledger_balance",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("normal_side", sa.SmallInteger(), nullable=False),
        sa.Column("guard", sa.SmallInteger(), nullable=False),
        sa.Column("closed", sa.SmallInteger(), nullable=False),
        sa.Column("dr_posted", sa.BigInteger(), nullable=False),
        sa.Column("cr_posted", sa.BigInteger(), nullable=False),
        sa.Column("dr_pending", sa.BigInteger(), nullable=False),
        sa.Column("cr_pending", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "closed IN (0, 1)",
            name=op.f("ck_ledger_balance_closed"),
        ),
        sa.CheckConstraint(
            "dr_posted >= 0 AND cr_posted >= 0 AND dr_pending >= 0 AND cr_pending >= 0 AND seq >= 0",
            name=op.f("ck_ledger_balance_counters"),
        ),
        sa.CheckConstraint(
            "guard IN (0, 1)",
            name=op.f("ck_ledger_balance_guard"),
        ),
        sa.CheckConstraint(
            "guard = 0 OR (dr_pending >= cr_pending AND cr_posted >= dr_posted + dr_pending - cr_pending)",
            name=op.f("ck_ledger_balance_overdraft"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_balance_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_ledger_balance")),
    )
    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS["sqlite" if dialect == "sqlite" else "mysql"]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("ledger_balance")
