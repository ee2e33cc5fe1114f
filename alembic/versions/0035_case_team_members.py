"""Create the table case_team_members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "case_team_members",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_team_members_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_team_members")),
        sa.UniqueConstraint(
            "case_id", "user_id", name=op.f("uq_case_team_members_case_id_user_id")
        ),
    )
    op.create_index(
        op.f("ix_case_team_members_user_id"), "case_team_members", ["user_id"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("case_team_members")
