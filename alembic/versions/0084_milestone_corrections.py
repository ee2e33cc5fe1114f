"""Create the table milestone_corrections.

Revises: 0083
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in an INTEGER key.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# MySQL and MariaDB drop microseconds unless told to keep them.
INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def ascii_text(length: int) -> sa.String:
    """Return a text column that is compared byte by byte."""
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Create the table with its constraints and index."""
    op.create_table(
        "milestone_corrections",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("reference", ascii_text(15), nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("milestone_id", ID, nullable=False),
        sa.Column("open_milestone_id", sa.BigInteger()),
        sa.Column("was_on", sa.Date(), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("state", ascii_text(20), nullable=False),
        sa.Column("proposed_by_user_id", sa.BigInteger()),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_reason", sa.String(500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'ACCEPTED', 'REJECTED')",
            name=op.f("ck_milestone_corrections_state"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_milestone_corrections_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["milestone_id"],
            ["case_milestones.id"],
            name=op.f("fk_milestone_corrections_milestone_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone_corrections")),
        sa.UniqueConstraint(
            "open_milestone_id", name=op.f("uq_milestone_corrections_open_milestone_id")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_milestone_corrections_reference")),
        sa.Index(op.f("ix_milestone_corrections_case_id_id"), "case_id", "id"),
    )


def downgrade() -> None:
    """Drop the table, and with it its index."""
    op.drop_table("milestone_corrections")
