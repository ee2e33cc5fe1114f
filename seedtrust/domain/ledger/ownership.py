"""Balances by whose money it is: a trust account's own accounts, and its part of shared ones.

Accounts such as money in transit or fees payable serve all trust accounts. Each of their entries
belongs to the trust account on whose cash or case ledger the same transaction stands.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session, aliased

from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance, LedgerEntry
from seedtrust.domain.ledger.posting import Layer
from seedtrust.domain.ledger.queries import whole


def own_balances(session: Session, own: Select[int], on: date) -> dict[AccountKind, int]:
    """Return the posted balances of the accounts that `own` selects, by kind, at a day's end.

    By effective date, each on its kind's normal side. What moves after the day is taken off the
    balances of now, so the cost grows with the entries after the day, not with the history.
    """
    balance, account, entry = LedgerBalance, LedgerAccount, LedgerEntry
    standing = (
        select(
            account.kind,
            func.sum(account.normal_side * (balance.dr_posted - balance.cr_posted)),
        )
        .select_from(account)
        .join(balance, balance.account_id == account.id)
        .where(account.id.in_(own))
        .group_by(account.kind)
    )
    later = (
        select(account.kind, -func.sum(account.normal_side * entry.side * entry.amount_cents))
        .select_from(account)
        .join(entry, entry.account_id == account.id)
        .where(account.id.in_(own), entry.effective_on > on, entry.layer == int(Layer.POSTED))
        .group_by(account.kind)
    )
    sums: dict[AccountKind, int] = {}
    for kind, cents in session.execute(union_all(standing, later)):
        sums[AccountKind(kind)] = sums.get(AccountKind(kind), 0) + whole(cents)
    return sums


def shares(session: Session, own: Select[int], on: date) -> dict[AccountKind, int]:
    """Return the part of each shared kind that belongs to the accounts that `own` selects.

    By effective date at a day's end, each on its kind's normal side.
    """
    entry, account, sibling = LedgerEntry, LedgerAccount, aliased(LedgerEntry)
    rows = session.execute(
        select(account.kind, func.sum(account.normal_side * entry.side * entry.amount_cents))
        .select_from(entry)
        .join(account, account.id == entry.account_id)
        .where(
            account.kind.not_in((AccountKind.CASE.value, AccountKind.BANK_CASH.value)),
            entry.layer == int(Layer.POSTED),
            entry.effective_on <= on,
            select(sibling.txn_id)
            .where(
                sibling.txn_id == entry.txn_id,
                sibling.layer == int(Layer.POSTED),
                sibling.account_id.in_(own),
            )
            .exists(),
        )
        .group_by(account.kind)
    )
    return {AccountKind(kind): whole(cents) for kind, cents in rows}
