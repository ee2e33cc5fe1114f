"""Create the table trust_accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "trust_accounts",
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
        sa.Column(
            "code",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column(
            "case_rail",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("bank_name", sa.String(120), nullable=False),
        sa.Column(
            "bank_account_ref",
            sa.String(60).with_variant(
                mysql.VARCHAR(60, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "routing_number",
            sa.String(9).with_variant(
                mysql.VARCHAR(9, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
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
        sa.Column(
            "immediate_destination",
            sa.String(10).with_variant(
                mysql.VARCHAR(10, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "immediate_origin",
            sa.String(10).with_variant(
                mysql.VARCHAR(10, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("company_name", sa.String(16), nullable=False),
        sa.Column(
            "company_identification",
            sa.String(10).with_variant(
                mysql.VARCHAR(10, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "odfi_identification",
            sa.String(8).with_variant(
                mysql.VARCHAR(8, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "ach_cutoff_local",
            sa.String(5).with_variant(
                mysql.VARCHAR(5, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "wire_cutoff_local",
            sa.String(5).with_variant(
                mysql.VARCHAR(5, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("second_release_above_cents", sa.BigInteger()),
        sa.Column("next_trace", sa.Integer(), nullable=False),
        sa.Column("ledger_account_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "case_rail IN ('nacha', 'huntington')",
            name=op.f("ck_trust_accounts_case_rail"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_accounts")),
        sa.UniqueConstraint("code", name=op.f("uq_trust_accounts_code")),
        sa.UniqueConstraint("ledger_account_id", name=op.f("uq_trust_accounts_ledger_account_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_trust_accounts_reference")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("trust_accounts")
