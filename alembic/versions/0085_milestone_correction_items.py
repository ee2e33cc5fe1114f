"""Create the table milestone_correction_items.

Revises: 0084
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table with its constraints."""
    op.create_table(
        "milestone_correction_items",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("correction_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("before_on", sa.Date()),
        sa.Column("after_on", sa.Date()),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["milestone_corrections.id"],
            name=op.f("fk_milestone_correction_items_correction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["schedule_items.id"], name=op.f("fk_milestone_correction_items_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone_correction_items")),
        sa.UniqueConstraint(
            "correction_id",
            "number",
            name=op.f("uq_milestone_correction_items_correction_id_number"),
        ),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("milestone_correction_items")
