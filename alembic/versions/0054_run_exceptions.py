"""Create the table run_exceptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "run_exceptions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reason",
            sa.String(30).with_variant(
                mysql.VARCHAR(30, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("sentence", sa.String(300), nullable=False),
        sa.Column(
            "noted_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "reason IN ('no_active_account', 'cooling_off', 'account_change_open', 'hold', 'cap', 'insufficient', 'duplicate_suspicion', 'not_due', 'case_stage')",
            name=op.f("ck_run_exceptions_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["disbursement_requests.id"], name=op.f("fk_run_exceptions_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payment_runs.id"], name=op.f("fk_run_exceptions_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_exceptions")),
        sa.UniqueConstraint(
            "run_id", "request_id", name=op.f("uq_run_exceptions_run_id_request_id")
        ),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("run_exceptions")
