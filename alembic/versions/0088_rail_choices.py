"""Create the table rail_choices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "rail_choices",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "rail",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("chosen_by_name", sa.String(200), nullable=False),
        sa.Column(
            "chosen_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint("rail IN ('nacha', 'huntington')", name=op.f("ck_rail_choices_rail")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_rail_choices_case_id")),
        sa.UniqueConstraint("case_id", name=op.f("uq_rail_choices_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rail_choices")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("rail_choices")
