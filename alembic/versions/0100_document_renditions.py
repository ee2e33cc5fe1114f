"""Create the table document_renditions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table; documents that are there have no rendition."""
    op.create_table(
        "document_renditions",
        sa.Column(
            "document_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("received_sha256", _ascii(64), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("thumbnail_sha256", _ascii(64)),
        sa.Column("pages", sa.Integer()),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("scanned_by", _ascii(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_document_renditions_document_id")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_renditions")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("document_renditions")
