"""Create the table agreement_copies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0114"
down_revision = "0113"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "agreement_copies",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("part", _ascii(20), nullable=False),
        sa.Column("audience", _ascii(20), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", _ascii(64), nullable=False),
        sa.CheckConstraint(
            "part IN ('text', 'executed', 'certificate')",
            name=op.f("ck_agreement_copies_part"),
        ),
        sa.CheckConstraint(
            "audience IN ('staff', 'agency', 'recipient', 'carrier', 'all_parties')",
            name=op.f("ck_agreement_copies_audience"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_agreement_copies_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_copies")),
        sa.UniqueConstraint(
            "agreement_id",
            "part",
            "audience",
            name=op.f("uq_agreement_copies_agreement_id_part_audience"),
        ),
    )


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("agreement_copies")
