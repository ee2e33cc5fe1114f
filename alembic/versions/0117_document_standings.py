"""Create the table document_standings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table; documents that are there count."""
    op.create_table(
        "document_standings",
        sa.Column(
            "document_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("state", _ascii(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column(
            "at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("replaced_by", _ascii(15)),
        sa.CheckConstraint(
            "state IN ('refused', 'replaced')", name=op.f("ck_document_standings_state")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_document_standings_document_id")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_standings")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("document_standings")
