"""Create the table disbursement_requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "disbursement_requests",
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
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_key",
            sa.String(120).with_variant(
                mysql.VARCHAR(120, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column(
            "kind",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
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
        sa.Column("term_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("schedule_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column(
            "category",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "tax_class",
            sa.String(1).with_variant(
                mysql.VARCHAR(1, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("payee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requester_user_id", sa.BigInteger()),
        sa.Column("requester_name", sa.String(200), nullable=False),
        sa.Column(
            "requester_role",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("reviewer_user_id", sa.BigInteger()),
        sa.Column("reviewer_name", sa.String(200), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("approved_cents", sa.BigInteger()),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("clause", sa.String(40), nullable=False),
        sa.Column("state_reason", sa.String(1000), nullable=False),
        sa.Column("duplicate_reason", sa.String(500), nullable=False),
        sa.Column("approval_round", sa.Integer(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("pay_on", sa.Date()),
        sa.Column("hold_id", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "amount_cents > 0",
            name=op.f("ck_disbursement_requests_amount_positive"),
        ),
        sa.CheckConstraint(
            "approved_cents > 0",
            name=op.f("ck_disbursement_requests_approved_positive"),
        ),
        sa.CheckConstraint(
            "approved_cents <= amount_cents",
            name=op.f("ck_disbursement_requests_approved_within_asked"),
        ),
        sa.CheckConstraint(
            "category IN ('funding', 'closing_refund', 'escrow_fee', 'bank_fee', 'agency_fee', 'legal', 'base_compensation', 'donor_compensation', 'monthly_allowance', 'signing_bonus', 'screening_bonus', 'medication_start', 'mock_cycle', 'embryo_transfer', 'cancelled_cycle', 'multiples', 'maternity_clothing', 'invasive_procedure', 'termination', 'c_section', 'organ_loss', 'lost_wages', 'lost_wages_companion', 'childcare', 'housekeeping', 'travel', 'travel_advance', 'per_diem', 'mileage', 'breast_milk', 'breast_milk_supplies', 'medication', 'medical_copay', 'medical_bill', 'health_insurance', 'life_insurance', 'donor_insurance', 'psych', 'psych_support', 'genetics', 'storage_shipping', 'other')",
            name=op.f("ck_disbursement_requests_category"),
        ),
        sa.CheckConstraint(
            "kind IN ('request', 'scheduled', 'refund')",
            name=op.f("ck_disbursement_requests_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'NEEDS_INFO', 'PENDING_APPROVAL', 'APPROVED', 'READY', 'INSUFFICIENT', 'ON_HOLD', 'IN_PAYMENT', 'PAID', 'RETURNED', 'DENIED', 'DISPUTED', 'CANCELLED')",
            name=op.f("ck_disbursement_requests_state"),
        ),
        sa.CheckConstraint(
            "tax_class IN ('C', 'R', 'V', 'F', '-')",
            name=op.f("ck_disbursement_requests_tax_class"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_disbursement_requests_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["payee_id"], ["payees.id"], name=op.f("fk_disbursement_requests_payee_id")
        ),
        sa.ForeignKeyConstraint(
            ["schedule_item_id"],
            ["schedule_items.id"],
            name=op.f("fk_disbursement_requests_schedule_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["contract_terms.id"], name=op.f("fk_disbursement_requests_term_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disbursement_requests")),
        sa.UniqueConstraint(
            "case_id", "client_key", name=op.f("uq_disbursement_requests_case_id_client_key")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_disbursement_requests_reference")),
        sa.UniqueConstraint(
            "schedule_item_id", name=op.f("uq_disbursement_requests_schedule_item_id")
        ),
    )
    op.create_index(
        op.f("ix_disbursement_requests_case_id_id"),
        "disbursement_requests",
        ["case_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_disbursement_requests_state_pay_on"),
        "disbursement_requests",
        ["state", "pay_on"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("disbursement_requests")
