"""Create the table final_accountings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "final_accountings",
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
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("deposits_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "content_hash",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("prepared_on", sa.Date(), nullable=False),
        sa.Column("prepared_by_user_id", sa.BigInteger(), nullable=False),
        sa.Column("prepared_by", sa.String(200), nullable=False),
        sa.Column("approved_on", sa.Date()),
        sa.Column("approved_by", sa.String(200), nullable=False),
        sa.Column("refund_request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.CheckConstraint(
            "state IN ('SENT', 'CERTIFIED', 'APPROVED', 'WITHDRAWN')",
            name=op.f("ck_final_accountings_state"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_final_accountings_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_request_id"],
            ["disbursement_requests.id"],
            name=op.f("fk_final_accountings_refund_request_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_final_accountings")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_final_accountings_case_id_number")),
        sa.UniqueConstraint("reference", name=op.f("uq_final_accountings_reference")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("final_accountings")
