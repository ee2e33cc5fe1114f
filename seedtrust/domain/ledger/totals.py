"""Sums over many accounts at once, for lists that show the total of everything they filter."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance
from seedtrust.domain.ledger.queries import whole


@dataclass(frozen=True, slots=True)
class AccountsTotal:
    """How many accounts there are and what stands on them together, in cents."""

    accounts: int
    ledger_cents: int
    available_cents: int


def total_of(session: Session, account_ids: Select[int]) -> AccountsTotal:
    """Return the sum of the accounts that a query names, each on its normal side. One query."""
    balance, side = LedgerBalance, LedgerAccount.normal_side
    posted = side * (balance.dr_posted - balance.cr_posted)
    pending = side * (balance.dr_pending - balance.cr_pending)
    count, ledger, available = session.execute(
        select(func.count(), func.sum(posted), func.sum(posted + pending))
        .select_from(balance)
        .join(LedgerAccount, LedgerAccount.id == balance.account_id)
        .where(balance.account_id.in_(account_ids))
    ).one()
    return AccountsTotal(count, whole(ledger), whole(available))
