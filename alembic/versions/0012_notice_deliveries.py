"""Create the table notice_deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "notice_deliveries",
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
            "event",
            sa.String(60).with_variant(
                mysql.VARCHAR(60, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "event_key",
            sa.String(120).with_variant(
                mysql.VARCHAR(120, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "queued_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")),
        sa.Column("error", sa.String(300), nullable=False),
        sa.CheckConstraint(
            "channel IN ('mail', 'in_app')",
            name=op.f("ck_notice_deliveries_channel"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'failed')",
            name=op.f("ck_notice_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_deliveries")),
        sa.UniqueConstraint(
            "event_key",
            "channel",
            "recipient",
            name=op.f("uq_notice_deliveries_event_key_channel_recipient"),
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_notice_deliveries_reference")),
    )
    op.create_index(
        op.f("ix_notice_deliveries_state"), "notice_deliveries", ["state"], unique=False
    )
    op.create_index(
        op.f("ix_notice_deliveries_user_id_id"),
        "notice_deliveries",
        ["user_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("notice_deliveries")
