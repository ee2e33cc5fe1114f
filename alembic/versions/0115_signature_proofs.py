"""Create the table signature_proofs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0115"
down_revision = "0114"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "signature_proofs",
        sa.Column(
            "signature_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("document_sha256", _ascii(64), nullable=False),
        sa.Column("consent_version", sa.Integer(), nullable=False),
        sa.Column("method", _ascii(20), nullable=False),
        sa.Column("typed_name", sa.String(120), nullable=False),
        sa.Column("drawing", sa.JSON(), nullable=False),
        sa.Column("address", _ascii(45), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.CheckConstraint(
            "method IN ('typed', 'drawn')",
            name=op.f("ck_signature_proofs_method"),
        ),
        sa.ForeignKeyConstraint(
            ["signature_id"],
            ["agreement_signatures.id"],
            name=op.f("fk_signature_proofs_signature_id"),
        ),
        sa.PrimaryKeyConstraint("signature_id", name=op.f("pk_signature_proofs")),
    )


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("signature_proofs")
