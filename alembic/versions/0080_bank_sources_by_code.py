"""Name what was read from a bank by that bank's code."""

from __future__ import annotations

from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename what the only bank has told so far."""
    op.execute("UPDATE bank_inbox SET source = 'events.filedrop' WHERE source = 'events'")
    op.execute("UPDATE bank_cursors SET source = 'filedrop' WHERE source = 'bank'")


def downgrade() -> None:
    """Give it the old names back."""
    op.execute("UPDATE bank_inbox SET source = 'events' WHERE source = 'events.filedrop'")
    op.execute("UPDATE bank_cursors SET source = 'bank' WHERE source = 'filedrop'")
