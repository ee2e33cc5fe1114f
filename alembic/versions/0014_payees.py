"""Create the table payees."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "payees",
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
        sa.Column(
            "kind",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("party_id", sa.BigInteger()),
        sa.Column("agency_id", sa.BigInteger()),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind IN ('person', 'company')",
            name=op.f("ck_payees_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payees")),
        sa.UniqueConstraint("agency_id", name=op.f("uq_payees_agency_id")),
        sa.UniqueConstraint("party_id", name=op.f("uq_payees_party_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_payees_reference")),
    )
    op.create_index(op.f("ix_payees_case_id"), "payees", ["case_id"], unique=False)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("payees")
