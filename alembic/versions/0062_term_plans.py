"""Create the table term_plans.

Revises: 0061
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints."""
    op.create_table(
        "term_plans",
        sa.Column(
            "term_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("schedule", ascii_text(20), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("pregnancy_week", sa.Integer()),
        sa.Column("last_trigger", ascii_text(40)),
        sa.Column("last_pay_after_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("item_count > 0", name=op.f("ck_term_plans_item_count_positive")),
        sa.CheckConstraint(
            "last_pay_after_days >= 0", name=op.f("ck_term_plans_last_pay_after_not_negative")
        ),
        sa.CheckConstraint(
            "last_trigger IN ('match_confirmed', 'escrow_agreement_executed', 'initial_funding_received', 'medical_clearance', 'psych_clearance', 'agreement_executed', 'medication_started', 'cycle_cancelled', 'embryo_transferred', 'pregnancy_test_positive', 'pregnancy_test_negative', 'heartbeat_confirmed', 'multiples_confirmed', 'weeks_12', 'weeks_14', 'weeks_16', 'weeks_20', 'parentage_order', 'bed_rest_started', 'bed_rest_ended', 'procedure_performed', 'pregnancy_lost', 'delivered', 'retrieval_done', 'agreement_terminated', 'obligations_ended')",
            name=op.f("ck_term_plans_last_trigger"),
        ),
        sa.CheckConstraint(
            "pregnancy_week > 0", name=op.f("ck_term_plans_pregnancy_week_positive")
        ),
        sa.CheckConstraint(
            "schedule IN ('once', 'instalments', 'monthly', 'pregnancy_week')",
            name=op.f("ck_term_plans_schedule"),
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["contract_terms.id"], name=op.f("fk_term_plans_term_id")
        ),
        sa.PrimaryKeyConstraint("term_id", name=op.f("pk_term_plans")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("term_plans")
