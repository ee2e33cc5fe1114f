"""Create the table case_milestones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "case_milestones",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "code",
            sa.String(40).with_variant(
                mysql.VARCHAR(40, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("document_id", sa.BigInteger()),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "code IN ('match_confirmed', 'escrow_agreement_executed', 'initial_funding_received', 'medical_clearance', 'psych_clearance', 'agreement_executed', 'medication_started', 'cycle_cancelled', 'embryo_transferred', 'pregnancy_test_positive', 'pregnancy_test_negative', 'heartbeat_confirmed', 'multiples_confirmed', 'weeks_12', 'weeks_14', 'weeks_16', 'weeks_20', 'parentage_order', 'bed_rest_started', 'bed_rest_ended', 'procedure_performed', 'pregnancy_lost', 'delivered', 'retrieval_done', 'agreement_terminated', 'obligations_ended')",
            name=op.f("ck_case_milestones_code"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_milestones_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_milestones")),
        sa.UniqueConstraint(
            "case_id", "code", "occurrence", name=op.f("uq_case_milestones_case_id_code_occurrence")
        ),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("case_milestones")
