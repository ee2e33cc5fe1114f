"""Create the table checks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# MySQL and MariaDB drop microseconds unless told to keep them.
INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "checks",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("trust_account_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("request_id", ID, nullable=False),
        sa.Column("live_request_id", sa.BigInteger(), nullable=True),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("payee_id", ID, nullable=False),
        sa.Column("payee_name", sa.String(length=80), nullable=False),
        sa.Column("mail_to", sa.String(length=300), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("state_since_at", INSTANT, nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("prepared_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("prepared_by", sa.String(length=200), nullable=False),
        sa.Column("prepared_on", sa.Date(), nullable=False),
        sa.Column("issued_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("issued_by", sa.String(length=200), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("capture_txn_id", sa.BigInteger(), nullable=True),
        sa.Column("stop_asked_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("stop_asked_by", sa.String(length=200), nullable=False),
        sa.Column("ended_by", sa.String(length=200), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("stale_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('PREPARED', 'ISSUED', 'STOP_ASKED', 'PRESENTED', 'STOPPED', 'VOIDED', 'STALE', 'REISSUED', 'CANCELLED')",
            name=op.f("ck_checks_state"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_checks_amount_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_checks_case_id")),
        sa.ForeignKeyConstraint(["payee_id"], ["payees.id"], name=op.f("fk_checks_payee_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["checks.id"], name=op.f("fk_checks_replaces_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["disbursement_requests.id"], name=op.f("fk_checks_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["trust_account_id"], ["trust_accounts.id"], name=op.f("fk_checks_trust_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
        sa.UniqueConstraint("live_request_id", name=op.f("uq_checks_live_request_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_checks_reference")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_checks_replaces_id")),
        sa.UniqueConstraint(
            "trust_account_id", "number", name=op.f("uq_checks_trust_account_id_number")
        ),
    )
    op.create_index(op.f("ix_checks_case_id_id"), "checks", ["case_id", "id"], unique=False)
    op.create_index(op.f("ix_checks_request_id"), "checks", ["request_id"], unique=False)
    op.create_index(
        op.f("ix_checks_state_issued_on"), "checks", ["state", "issued_on"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("checks")
