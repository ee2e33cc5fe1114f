"""Create the table cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "cases",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "reference",
            sa.String(15).with_variant(
                mysql.VARCHAR(15, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column(
            "stage",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "stage_before_hold",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column("stage_since_on", sa.Date(), nullable=False),
        sa.Column("hold_reason", sa.String(500), nullable=False),
        sa.Column(
            "rail",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("agency_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("trust_account_id", sa.BigInteger(), nullable=False),
        sa.Column("ledger_account_id", sa.BigInteger(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("funding_required_cents", sa.BigInteger(), nullable=False),
        sa.Column("minimum_balance_cents", sa.BigInteger(), nullable=False),
        sa.Column("all_parents_approve", sa.Boolean(), nullable=False),
        sa.Column(
            "carrier_sees_balance",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('surrogacy', 'egg_donation')",
            name=op.f("ck_cases_kind"),
        ),
        sa.CheckConstraint(
            "stage IN ('INTAKE', 'AWAITING_ESCROW_AGREEMENT', 'PENDING_FUNDING', 'AWAITING_EXECUTED_AGREEMENT', 'AWAITING_HEARTBEAT', 'PREGNANT', 'POST_DELIVERY', 'CYCLE_IN_PROGRESS', 'POST_RETRIEVAL', 'AWAITING_CLOSE_APPROVAL', 'FINAL_ACCOUNTING', 'FINAL_DISBURSEMENT', 'CLOSED', 'ON_HOLD', 'CANCELLED')",
            name=op.f("ck_cases_stage"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agencies.id"], name=op.f("fk_cases_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("ledger_account_id", name=op.f("uq_cases_ledger_account_id")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
        sa.UniqueConstraint("reference", name=op.f("uq_cases_reference")),
    )
    op.create_index(op.f("ix_cases_trust_account_id"), "cases", ["trust_account_id"], unique=False)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("cases")
