"""Create the table bank_files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its constraints and indexes."""
    op.create_table(
        "bank_files",
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
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("live_run_id", sa.BigInteger()),
        sa.Column(
            "name",
            sa.String(60).with_variant(
                mysql.VARCHAR(60, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
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
            "immediate_origin",
            sa.String(10).with_variant(
                mysql.VARCHAR(10, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "immediate_destination",
            sa.String(10).with_variant(
                mysql.VARCHAR(10, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column(
            "modifier",
            sa.String(1).with_variant(
                mysql.VARCHAR(1, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column(
            "sha256",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column(
            "content_key",
            sa.String(64).with_variant(
                mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
        ),
        sa.Column(
            "content_sealed",
            sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column(
            "sealed_at",
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("send_attempt", sa.Integer(), nullable=False),
        sa.Column(
            "transmitted_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
        ),
        sa.Column(
            "bank_file_ref",
            sa.String(80).with_variant(
                mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
            ),
            nullable=False,
        ),
        sa.Column("bank_word", sa.String(500), nullable=False),
        sa.CheckConstraint(
            "state IN ('SEALED', 'TRANSMITTED', 'ACKNOWLEDGED', 'REJECTED', 'SETTLED', 'DISCARDED')",
            name=op.f("ck_bank_files_state"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["payment_runs.id"], name=op.f("fk_bank_files_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_files")),
        sa.UniqueConstraint("content_key", name=op.f("uq_bank_files_content_key")),
        sa.UniqueConstraint(
            "immediate_origin",
            "immediate_destination",
            "created_on",
            "modifier",
            name=op.f("uq_bank_files_immediate_origin_immediate_destination_created_on_modifier"),
        ),
        sa.UniqueConstraint("live_run_id", name=op.f("uq_bank_files_live_run_id")),
        sa.UniqueConstraint("name", name=op.f("uq_bank_files_name")),
        sa.UniqueConstraint("reference", name=op.f("uq_bank_files_reference")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_files_sha256")),
    )


def downgrade() -> None:
    """Drop the table, and with it its indexes and triggers."""
    op.drop_table("bank_files")
