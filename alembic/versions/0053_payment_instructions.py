"""Create the table payment_instructions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "payment_instructions",
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
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("live_request_id", sa.BigInteger()),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "trust_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("payee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "payee_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("payee_name", sa.String(120), nullable=False),
        sa.Column(
            "account_fingerprint",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
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
            "rail",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("added_by_user_id", sa.BigInteger()),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "state_since_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column(
            "reconciliation_status",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "sec_code",
            sa.String(3).with_variant(
                mysql.VARCHAR(3, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("entry_description", sa.String(10), nullable=False),
        sa.Column("addenda_text", sa.String(80), nullable=False),
        sa.Column(
            "odfi_identification",
            sa.String(8).with_variant(
                mysql.VARCHAR(8, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "trace_number",
            sa.String(15).with_variant(
                mysql.VARCHAR(15, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("sent_on", sa.Date()),
        sa.Column("settled_on", sa.Date()),
        sa.Column("returned_on", sa.Date()),
        sa.Column("returned_to_case", sa.Boolean(), nullable=False),
        sa.Column("capture_txn_id", sa.BigInteger()),
        sa.Column("send_attempt", sa.Integer(), nullable=False),
        sa.Column("lookup_misses", sa.Integer(), nullable=False),
        sa.Column(
            "first_miss_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column(
            "return_code",
            sa.String(3).with_variant(
                mysql.VARCHAR(3, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "bank_payment_ref",
            sa.String(80).with_variant(
                mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "amount_cents > 0",
            name=op.f("ck_payment_instructions_amount_positive"),
        ),
        sa.CheckConstraint(
            "rail IN ('ach', 'wire')",
            name=op.f("ck_payment_instructions_rail"),
        ),
        sa.CheckConstraint(
            "reconciliation_status IN ('unmatched', 'matched', 'exception')",
            name=op.f("ck_payment_instructions_reconciliation_status"),
        ),
        sa.CheckConstraint(
            "state IN ('CREATED', 'RELEASED', 'SUBMITTING', 'UNKNOWN', 'SENT', 'ACCEPTED', 'SETTLED', 'REJECTED', 'RETURNED', 'CANCELLED', 'FAILED')",
            name=op.f("ck_payment_instructions_state"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_payment_instructions_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["payee_account_id"],
            ["payee_accounts.id"],
            name=op.f("fk_payment_instructions_payee_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payee_id"], ["payees.id"], name=op.f("fk_payment_instructions_payee_id")
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"],
            ["payment_instructions.id"],
            name=op.f("fk_payment_instructions_replaces_id"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["disbursement_requests.id"],
            name=op.f("fk_payment_instructions_request_id"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payment_runs.id"], name=op.f("fk_payment_instructions_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["trust_account_id"],
            ["trust_accounts.id"],
            name=op.f("fk_payment_instructions_trust_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_instructions")),
        sa.UniqueConstraint(
            "live_request_id", name=op.f("uq_payment_instructions_live_request_id")
        ),
        sa.UniqueConstraint(
            "odfi_identification",
            "trace_number",
            "effective_on",
            name=op.f("uq_payment_instructions_odfi_identification_trace_number_effective_on"),
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_instructions_reference")),
    )
    op.create_index(
        op.f("ix_payment_instructions_case_id_id"),
        "payment_instructions",
        ["case_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_instructions_request_id"),
        "payment_instructions",
        ["request_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_instructions_run_id_position"),
        "payment_instructions",
        ["run_id", "position"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_instructions_state"), "payment_instructions", ["state"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("payment_instructions")
