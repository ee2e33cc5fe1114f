"""Sums over many accounts at once, for lists that show the total of everything they filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session, aliased

from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance, LedgerEntry
from seedtrust.domain.ledger.posting import Layer
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


def kinds_by_owner(
    session: Session, owned: Select[int, int], on: date
) -> dict[int, dict[AccountKind, int]]:
    """Return each owner's balances by kind of account at the end of a day. One query.

    `owned` gives accounts with their owners. Entries on shared accounts belong to the owner whose
    account stands in the same transaction. Each figure is on its kind's normal side.
    """
    own = owned.subquery()
    account_id, owner = own.c[0], own.c[1]
    balance, account, entry = LedgerBalance, LedgerAccount, LedgerEntry
    posted = entry.layer == int(Layer.POSTED)
    moved = account.normal_side * entry.side * entry.amount_cents
    standing = (
        select(
            owner,
            account.kind,
            func.sum(account.normal_side * (balance.dr_posted - balance.cr_posted)),
        )
        .select_from(own)
        .join(account, account.id == account_id)
        .join(balance, balance.account_id == account_id)
        .group_by(owner, account.kind)
    )
    later = (
        select(owner, account.kind, -func.sum(moved))
        .select_from(own)
        .join(account, account.id == account_id)
        .join(entry, entry.account_id == account_id)
        .where(posted, entry.effective_on > on)
        .group_by(owner, account.kind)
    )
    sibling = aliased(LedgerEntry)
    whose = (
        select(sibling.txn_id, owner)
        .select_from(own)
        .join(sibling, sibling.account_id == account_id)
        .where(sibling.layer == int(Layer.POSTED))
        .distinct()
        .subquery()
    )
    own_kinds = (AccountKind.CASE.value, AccountKind.BANK_CASH.value)
    shared = (
        select(whose.c[1], account.kind, func.sum(moved))
        .select_from(entry)
        .join(account, account.id == entry.account_id)
        .join(whose, whose.c[0] == entry.txn_id)
        .where(posted, entry.effective_on <= on, account.kind.not_in(own_kinds))
        .group_by(whose.c[1], account.kind)
    )
    found: dict[int, dict[AccountKind, int]] = {}
    for owner_id, kind, cents in session.execute(union_all(standing, later, shared)):
        sums = found.setdefault(owner_id, {})
        sums[AccountKind(kind)] = sums.get(AccountKind(kind), 0) + whole(cents)
    return found
