"""Create the table shortage_decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "shortage_decisions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("reference", _ascii(15), nullable=False),
        sa.Column(
            "shortage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", _ascii(20), nullable=False),
        sa.Column("open_kind", _ascii(20)),
        sa.Column("state", _ascii(20), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("proposed_by_user_id", sa.BigInteger()),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("decided_on", sa.Date()),
        sa.Column("decided_by_user_id", sa.BigInteger()),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("done_on", sa.Date()),
        sa.Column("transfer_ref", _ascii(15), nullable=False),
        sa.CheckConstraint(
            "kind IN ('advance', 'repayment', 'lift')", name=op.f("ck_shortage_decisions_kind")
        ),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'APPROVED', 'DONE', 'WITHDRAWN')",
            name=op.f("ck_shortage_decisions_state"),
        ),
        sa.ForeignKeyConstraint(
            ["shortage_id"], ["shortages.id"], name=op.f("fk_shortage_decisions_shortage_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortage_decisions")),
        sa.UniqueConstraint("reference", name=op.f("uq_shortage_decisions_reference")),
        sa.UniqueConstraint(
            "shortage_id", "open_kind", name=op.f("uq_shortage_decisions_shortage_id_open_kind")
        ),
    )


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("shortage_decisions")
