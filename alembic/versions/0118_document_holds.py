"""Create the table document_holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0118"
down_revision = "0117"
branch_labels = None
depends_on = None


def _instant() -> sa.types.TypeEngine[object]:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Create the table with its index."""
    op.create_table(
        "document_holds",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("placed_by", sa.String(200), nullable=False),
        sa.Column("placed_at", _instant(), nullable=False),
        sa.Column("lift_reason", sa.String(500), nullable=False),
        sa.Column("lift_asked_by_user_id", sa.BigInteger()),
        sa.Column("lift_asked_by", sa.String(200)),
        sa.Column("lift_asked_at", _instant()),
        sa.Column("lifted_by", sa.String(200)),
        sa.Column("lifted_at", _instant()),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_document_holds_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_holds")),
    )
    op.create_index(
        op.f("ix_document_holds_document_id"), "document_holds", ["document_id"], unique=False
    )


def downgrade() -> None:
    """Drop the table, and with it its index."""
    op.drop_table("document_holds")
