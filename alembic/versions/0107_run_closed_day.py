"""Remember for which day the bank took nothing more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the day that the bank named as closed; it named none of those that are there."""
    op.add_column("payment_runs", sa.Column("day_closed_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Forget it; runs are then dated by the table of cut-offs alone."""
    with op.batch_alter_table("payment_runs") as table:
        table.drop_column("day_closed_on")
