"""Create the table signature_declines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0116"
down_revision = "0115"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "signature_declines",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("party_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("document_sha256", _ascii(64), nullable=False),
        sa.Column("address", _ascii(45), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.Column("declined_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_signature_declines_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["party_id"], ["case_parties.id"], name=op.f("fk_signature_declines_party_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_declines")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_signature_declines_agreement_id")),
    )


def _instant() -> sa.types.TypeEngine[object]:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("signature_declines")
