"""Work of the night that nobody sees: sums of the books, and what sign-ins and calls leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from seedtrust.domain.identity import housekeeping
from seedtrust.domain.ledger import daily, ownership
from seedtrust.domain.payments.calls import prune_calls
from seedtrust.domain.reconciliation.proof import owned_accounts
from seedtrust.ext import in_transaction
from seedtrust.jobs.tools import Tools


def roll_up(tools: Tools) -> tuple[int, int]:
    """Add what was posted since the last night to the daily sums, by account and by owner.

    Returns how many accounts moved. A unit of work takes 200 accounts, so that a long history
    neither locks nor fills memory.
    """
    del tools
    return _until_done(daily.roll_up) + _until_done(
        lambda session: ownership.roll_up_owners(session, owned_accounts())
    ), 0


def _until_done(step: Callable[[Session], int]) -> int:
    moved = 0
    while found := in_transaction(step):
        moved += found
    return moved


def prune_bank_calls(tools: Tools) -> tuple[int, int]:
    """Delete the calls to banks that are older than the house keeps them; returns how many."""
    before = tools.clock.now() - timedelta(days=tools.bank_calls_days)
    return _until_done(lambda session: prune_calls(session, before)), 0


def clean_identity(tools: Tools) -> tuple[int, int]:
    """End sessions that ran out and delete what nobody needs any more."""

    def work(session: Session) -> None:
        housekeeping.clean(
            session,
            idle_seconds=tools.session_idle_seconds,
            grace_seconds=tools.refresh_grace_seconds,
            now=tools.clock.now(),
        )

    in_transaction(work)
    return 1, 0
