"""Let bank transfers repay what the company has advanced."""

from __future__ import annotations

from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None

_BEFORE = "kind IN ('send_back', 'fee_sweep')"
_AFTER = "kind IN ('send_back', 'fee_sweep', 'repayment')"


def upgrade() -> None:
    """Allow the new kind."""
    _check(_AFTER)


def downgrade() -> None:
    """Allow the earlier kinds alone."""
    _check(_BEFORE)


def _check(kinds: str) -> None:
    name = "ck_bank_transfers_kind"
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"ALTER TABLE bank_transfers DROP CONSTRAINT {name}, ADD CONSTRAINT {name} "
            f"CHECK ({kinds})"
        )
        return
    # SQLite cannot change a CHECK: the table is written anew, with the checks that it has then.
    with op.batch_alter_table("bank_transfers", recreate="always") as batch_op:
        batch_op.drop_constraint(op.f(name), type_="check")
        batch_op.create_check_constraint(op.f(name), kinds)
