"""Index payment_instructions by settled_on and trust_account_id."""

from __future__ import annotations

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        op.f("ix_payment_instructions_settled_on_trust_account_id"),
        "payment_instructions",
        ["settled_on", "trust_account_id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(
        op.f("ix_payment_instructions_settled_on_trust_account_id"),
        table_name="payment_instructions",
    )
