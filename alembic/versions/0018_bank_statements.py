"""Create the table bank_statements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "bank_statements",
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
            "trust_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("as_of_on", sa.Date(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("current_on", sa.Date()),
        sa.Column(
            "file_name",
            sa.String(80).with_variant(
                mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "sha256",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("opening_cents", sa.BigInteger(), nullable=False),
        sa.Column("closing_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "imported_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["trust_account_id"],
            ["trust_accounts.id"],
            name=op.f("fk_bank_statements_trust_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statements")),
        sa.UniqueConstraint("reference", name=op.f("uq_bank_statements_reference")),
        sa.UniqueConstraint(
            "trust_account_id",
            "as_of_on",
            "version_number",
            name=op.f("uq_bank_statements_trust_account_id_as_of_on_version_number"),
        ),
        sa.UniqueConstraint(
            "trust_account_id",
            "current_on",
            name=op.f("uq_bank_statements_trust_account_id_current_on"),
        ),
        sa.UniqueConstraint(
            "trust_account_id",
            "sha256",
            "as_of_on",
            name=op.f("uq_bank_statements_trust_account_id_sha256_as_of_on"),
        ),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("bank_statements")
