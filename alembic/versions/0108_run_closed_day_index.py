"""Find at once whether the bank takes something for a day."""

from __future__ import annotations

from alembic import op

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

_NAME = "ix_payment_runs_day_closed_on"


def upgrade() -> None:
    """Add the index."""
    op.create_index(op.f(_NAME), "payment_runs", ["day_closed_on"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(op.f(_NAME), table_name="payment_runs")
