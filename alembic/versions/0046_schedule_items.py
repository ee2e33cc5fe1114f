"""Create the table schedule_items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "schedule_items",
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
        sa.Column("term_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "amount_cents > 0",
            name=op.f("ck_schedule_items_amount_positive"),
        ),
        sa.CheckConstraint(
            "state IN ('WAITING', 'PLANNED', 'MATERIALISED', 'CANCELLED')",
            name=op.f("ck_schedule_items_state"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_schedule_items_case_id")),
        sa.ForeignKeyConstraint(
            ["term_id"], ["contract_terms.id"], name=op.f("fk_schedule_items_term_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_items")),
        sa.UniqueConstraint("reference", name=op.f("uq_schedule_items_reference")),
        sa.UniqueConstraint("term_id", "number", name=op.f("uq_schedule_items_term_id_number")),
    )
    op.create_index(
        op.f("ix_schedule_items_case_id_due_on"),
        "schedule_items",
        ["case_id", "due_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_schedule_items_state_due_on"), "schedule_items", ["state", "due_on"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("schedule_items")
