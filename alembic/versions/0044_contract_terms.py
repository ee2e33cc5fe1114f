"""Create the table contract_terms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "contract_terms",
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
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("clause", sa.String(40), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
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
        sa.Column(
            "kind",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "approver",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("payee_id", sa.BigInteger()),
        sa.Column("amount_cents", sa.BigInteger()),
        sa.Column("cap_cents", sa.BigInteger()),
        sa.Column(
            "trigger",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column("pay_after_days", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("proposed_by_user_id", sa.BigInteger()),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("activated_by", sa.String(200), nullable=False),
        sa.Column(
            "activated_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "amount_cents > 0",
            name=op.f("ck_contract_terms_amount_positive"),
        ),
        sa.CheckConstraint(
            "approver IN ('pre_authorised', 'escrow', 'intended_parents')",
            name=op.f("ck_contract_terms_approver"),
        ),
        sa.CheckConstraint(
            "cap_cents > 0",
            name=op.f("ck_contract_terms_cap_positive"),
        ),
        sa.CheckConstraint(
            "category IN ('funding', 'closing_refund', 'escrow_fee', 'bank_fee', 'agency_fee', 'legal', 'base_compensation', 'donor_compensation', 'monthly_allowance', 'signing_bonus', 'screening_bonus', 'medication_start', 'mock_cycle', 'embryo_transfer', 'cancelled_cycle', 'multiples', 'maternity_clothing', 'invasive_procedure', 'termination', 'c_section', 'organ_loss', 'lost_wages', 'lost_wages_companion', 'childcare', 'housekeeping', 'travel', 'travel_advance', 'per_diem', 'mileage', 'breast_milk', 'breast_milk_supplies', 'medication', 'medical_copay', 'medical_bill', 'health_insurance', 'life_insurance', 'donor_insurance', 'psych', 'psych_support', 'genetics', 'storage_shipping', 'other')",
            name=op.f("ck_contract_terms_category"),
        ),
        sa.CheckConstraint(
            "kind IN ('scheduled', 'requested', 'fee')",
            name=op.f("ck_contract_terms_kind"),
        ),
        sa.CheckConstraint(
            "pay_after_days >= 0",
            name=op.f("ck_contract_terms_pay_after_not_negative"),
        ),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'ACTIVE', 'ENDED')",
            name=op.f("ck_contract_terms_state"),
        ),
        sa.CheckConstraint(
            "tax_class IN ('C', 'R', 'V', 'F', '-')",
            name=op.f("ck_contract_terms_tax_class"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_contract_terms_agreement_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contract_terms_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_terms")),
        sa.UniqueConstraint("case_id", "position", name=op.f("uq_contract_terms_case_id_position")),
        sa.UniqueConstraint("reference", name=op.f("uq_contract_terms_reference")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("contract_terms")
