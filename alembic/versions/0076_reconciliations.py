"""Create the table reconciliations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "reconciliations",
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
        sa.Column("trust_account_id", sa.BigInteger(), nullable=False),
        sa.Column("as_of_on", sa.Date(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("current_on", sa.Date()),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("statement_id", sa.BigInteger()),
        sa.Column("adjusted_bank_cents", sa.BigInteger(), nullable=False),
        sa.Column("book_cents", sa.BigInteger(), nullable=False),
        sa.Column("owners_cents", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column(
            "content_hash",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "checked_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("prepared_by_user_id", sa.BigInteger()),
        sa.Column("prepared_by", sa.String(200), nullable=False),
        sa.Column(
            "prepared_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
        ),
        sa.Column("reviewed_by_user_id", sa.BigInteger()),
        sa.Column("reviewed_by", sa.String(200), nullable=False),
        sa.Column(
            "reviewed_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
        ),
        sa.Column("locked_by", sa.String(200), nullable=False),
        sa.Column(
            "locked_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
        ),
        sa.Column(
            "lock_hash",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("stale_because", sa.String(300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('OPEN', 'PREPARED', 'REVIEWED', 'LOCKED', 'STALE')",
            name=op.f("ck_reconciliations_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
        sa.UniqueConstraint("reference", name=op.f("uq_reconciliations_reference")),
        sa.UniqueConstraint(
            "trust_account_id",
            "as_of_on",
            "version_number",
            name=op.f("uq_reconciliations_trust_account_id_as_of_on_version_number"),
        ),
        sa.UniqueConstraint(
            "trust_account_id",
            "current_on",
            name=op.f("uq_reconciliations_trust_account_id_current_on"),
        ),
    )
    op.create_index(
        op.f("ix_reconciliations_statement_id"), "reconciliations", ["statement_id"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("reconciliations")
