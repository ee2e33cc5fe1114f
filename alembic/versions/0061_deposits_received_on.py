"""Index deposits by trust_account_id and received_on."""

from __future__ import annotations

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        op.f("ix_deposits_trust_account_id_received_on"),
        "deposits",
        ["trust_account_id", "received_on"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(op.f("ix_deposits_trust_account_id_received_on"), table_name="deposits")
