"""Create the table limit_changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "limit_changes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("reference", _ascii(15), nullable=False),
        sa.Column(
            "trust_account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("open_account_id", sa.BigInteger()),
        sa.Column("state", _ascii(20), nullable=False),
        sa.Column("before_cents", sa.BigInteger()),
        sa.Column("after_cents", sa.BigInteger()),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("proposed_by_user_id", sa.BigInteger()),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("decided_on", sa.Date()),
        sa.Column("decided_by_user_id", sa.BigInteger()),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'APPROVED', 'REFUSED')", name=op.f("ck_limit_changes_state")
        ),
        sa.ForeignKeyConstraint(
            ["trust_account_id"],
            ["trust_accounts.id"],
            name=op.f("fk_limit_changes_trust_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_changes")),
        sa.UniqueConstraint("reference", name=op.f("uq_limit_changes_reference")),
        sa.UniqueConstraint("open_account_id", name=op.f("uq_limit_changes_open_account_id")),
    )


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes."""
    op.drop_table("limit_changes")
