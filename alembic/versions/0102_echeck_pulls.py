"""Create the table echeck_pulls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0102"
down_revision = "0101"
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
        "echeck_pulls",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("authorisation_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("trust_account_id", ID, nullable=False),
        sa.Column("funding_request_id", ID, nullable=False),
        sa.Column("live_funding_request_id", sa.BigInteger(), nullable=True),
        sa.Column("first_pull_id", sa.BigInteger(), nullable=False),
        sa.Column("presentment", sa.Integer(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("deposit_id", ID, nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("state_since_at", INSTANT, nullable=False),
        sa.Column("state_reason", sa.String(length=300), nullable=False),
        sa.Column("asked_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("released_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.String(length=200), nullable=False),
        sa.Column("sec_code", ascii_text(3), nullable=False),
        sa.Column("entry_description", sa.String(length=10), nullable=False),
        sa.Column("trace_number", ascii_text(15), nullable=True),
        sa.Column("odfi_identification", ascii_text(8), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("return_code", ascii_text(3), nullable=False),
        sa.Column("send_attempt", sa.Integer(), nullable=False),
        sa.Column("bank_payment_ref", ascii_text(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('REQUESTED', 'RELEASED', 'SUBMITTING', 'UNKNOWN', 'SENT', 'SETTLED', 'RETURNED', 'REJECTED', 'CANCELLED')",
            name=op.f("ck_echeck_pulls_state"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_echeck_pulls_amount_positive")),
        sa.CheckConstraint(
            "presentment BETWEEN 1 AND 3", name=op.f("ck_echeck_pulls_presented_thrice_at_most")
        ),
        sa.ForeignKeyConstraint(
            ["authorisation_id"],
            ["debit_authorisations.id"],
            name=op.f("fk_echeck_pulls_authorisation_id"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_echeck_pulls_case_id")),
        sa.ForeignKeyConstraint(
            ["deposit_id"], ["deposits.id"], name=op.f("fk_echeck_pulls_deposit_id")
        ),
        sa.ForeignKeyConstraint(
            ["funding_request_id"],
            ["funding_requests.id"],
            name=op.f("fk_echeck_pulls_funding_request_id"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payment_runs.id"], name=op.f("fk_echeck_pulls_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["trust_account_id"],
            ["trust_accounts.id"],
            name=op.f("fk_echeck_pulls_trust_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_echeck_pulls")),
        sa.UniqueConstraint("deposit_id", name=op.f("uq_echeck_pulls_deposit_id")),
        sa.UniqueConstraint(
            "first_pull_id", "presentment", name=op.f("uq_echeck_pulls_first_pull_id_presentment")
        ),
        sa.UniqueConstraint(
            "live_funding_request_id", name=op.f("uq_echeck_pulls_live_funding_request_id")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_echeck_pulls_reference")),
    )
    op.create_index(
        op.f("ix_echeck_pulls_case_id_id"), "echeck_pulls", ["case_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_echeck_pulls_run_id_position"),
        "echeck_pulls",
        ["run_id", "position"],
        unique=False,
    )
    op.create_index(
        op.f("ix_echeck_pulls_state_trust_account_id"),
        "echeck_pulls",
        ["state", "trust_account_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_echeck_pulls_trace_number"), "echeck_pulls", ["trace_number"], unique=False
    )
    op.create_index(
        op.f("ix_echeck_pulls_trust_account_id_sent_on"),
        "echeck_pulls",
        ["trust_account_id", "sent_on"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("echeck_pulls")
