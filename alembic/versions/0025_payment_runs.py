"""Create the table payment_runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "payment_runs",
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
            "trust_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "rail",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "open_key",
            sa.String(60).with_variant(
                mysql.VARCHAR(60, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("built_on", sa.Date(), nullable=False),
        sa.Column("builder_user_id", sa.BigInteger()),
        sa.Column("builder_name", sa.String(200), nullable=False),
        sa.Column(
            "locked_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column(
            "content_hash",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("releaser_user_id", sa.BigInteger()),
        sa.Column("releaser_name", sa.String(200), nullable=False),
        sa.Column(
            "released_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column("second_releaser_user_id", sa.BigInteger()),
        sa.Column("second_releaser_name", sa.String(200), nullable=False),
        sa.Column(
            "transmitted_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column("settled_on", sa.Date()),
        sa.Column("state_reason", sa.String(500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "rail IN ('ach', 'wire')",
            name=op.f("ck_payment_runs_rail"),
        ),
        sa.CheckConstraint(
            "state IN ('OPEN', 'LOCKED', 'RELEASED', 'UNKNOWN', 'TRANSMITTED', 'ACKNOWLEDGED', 'SETTLED', 'REJECTED', 'CANCELLED')",
            name=op.f("ck_payment_runs_state"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_account_id"],
            ["trust_accounts.id"],
            name=op.f("fk_payment_runs_trust_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_runs")),
        sa.UniqueConstraint("open_key", name=op.f("uq_payment_runs_open_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_runs_reference")),
    )
    op.create_index(op.f("ix_payment_runs_state"), "payment_runs", ["state"], unique=False)


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("payment_runs")
