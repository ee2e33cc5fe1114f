"""Create the table payee_accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "payee_accounts",
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
        sa.Column("payee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("active_for_payee_id", sa.BigInteger()),
        sa.Column(
            "account_type",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("holder_name", sa.String(120), nullable=False),
        sa.Column("bank_name", sa.String(120), nullable=False),
        sa.Column(
            "routing_number",
            sa.String(9).with_variant(
                mysql.VARCHAR(9, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("account_number_sealed", sa.Text(), nullable=False),
        sa.Column(
            "account_fingerprint",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "last_four",
            sa.String(4).with_variant(
                mysql.VARCHAR(4, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("submitted_by_user_id", sa.BigInteger()),
        sa.Column("submitted_by", sa.String(200), nullable=False),
        sa.Column(
            "submitted_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("checked_by_user_id", sa.BigInteger()),
        sa.Column("checked_by", sa.String(200), nullable=False),
        sa.Column("verified_by_user_id", sa.BigInteger()),
        sa.Column("verified_by", sa.String(200), nullable=False),
        sa.Column("call_back_note", sa.String(500), nullable=False),
        sa.Column("approved_by_user_id", sa.BigInteger()),
        sa.Column("approved_by", sa.String(200), nullable=False),
        sa.Column(
            "approved_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column("cooling_until_on", sa.Date()),
        sa.Column("active_on", sa.Date()),
        sa.Column("state_reason", sa.String(500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "account_type IN ('checking', 'savings')",
            name=op.f("ck_payee_accounts_account_type"),
        ),
        sa.CheckConstraint(
            "state IN ('SUBMITTED', 'CHECKED', 'VERIFIED', 'APPROVED', 'COOLING', 'ACTIVE', 'SUPERSEDED', 'BLOCKED', 'REJECTED')",
            name=op.f("ck_payee_accounts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["payee_id"], ["payees.id"], name=op.f("fk_payee_accounts_payee_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee_accounts")),
        sa.UniqueConstraint(
            "active_for_payee_id", name=op.f("uq_payee_accounts_active_for_payee_id")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_payee_accounts_reference")),
    )
    op.create_index(
        op.f("ix_payee_accounts_account_fingerprint"),
        "payee_accounts",
        ["account_fingerprint"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payee_accounts_payee_id_state"),
        "payee_accounts",
        ["payee_id", "state"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("payee_accounts")
