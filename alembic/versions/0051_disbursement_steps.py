"""Create the table disbursement_steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "disbursement_steps",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "event",
            sa.String(30).with_variant(
                mysql.VARCHAR(30, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "from_state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.String(20).with_variant(
                mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("actor_user_id", sa.BigInteger()),
        sa.Column("actor_name", sa.String(200), nullable=False),
        sa.Column("amount_cents", sa.BigInteger()),
        sa.Column("clause", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("on_business_date", sa.Date(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "event IN ('submit', 'start_review', 'ask', 'answer', 'accept_for_approval', 'accept_pre_authorised', 'refuse', 'approve', 'deny', 'dispute', 'timer_approve', 'send_back', 'reserve', 'find_insufficient', 'hold', 'recheck', 'release_reservation', 'add_to_run', 'leave_run', 'settle', 'return', 'pay_again', 'withdraw', 'cancel', 'expire', 'resolve_approved', 'resolve_denied')",
            name=op.f("ck_disbursement_steps_event"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["disbursement_requests.id"],
            name=op.f("fk_disbursement_steps_request_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disbursement_steps")),
    )
    op.create_index(
        op.f("ix_disbursement_steps_request_id_id"),
        "disbursement_steps",
        ["request_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("disbursement_steps")
