"""Balances by whose money it is: a trust account's own accounts, and its part of shared ones.

Accounts such as money in transit or fees payable serve all trust accounts. Each of their entries
belongs to the owner on whose cash or case ledger the same transaction stands, else to the owner
of another transaction from the same source: what a receipt began, its way back ends.
Sums by owner and day serve as far as they are rolled up; entries after that are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, case, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from seedtrust.domain.ledger.account_kinds import AccountKind, normal_side
from seedtrust.domain.ledger.daily import Behind, add_sums, behind_accounts, move_mark
from seedtrust.domain.ledger.models import (
    LedgerAccount,
    LedgerBalance,
    LedgerEntry,
    LedgerOwnerDaily,
    LedgerOwnerMark,
    LedgerTxn,
)
from seedtrust.domain.ledger.posting import Layer, Side
from seedtrust.domain.ledger.queries import whole

# Two columns: an account and its owner.
_Owned: TypeAlias = FromClause[ReadOnlyColumnCollection[str, KeyedColumnElement[int]]]
# The owner of what no entry tells; it stands in no proof.
NOBODY: Final = 0
_OWN_KINDS: Final = (AccountKind.CASE.value, AccountKind.BANK_CASH.value)
_ENTRIES_AT_A_TIME: Final = 50_000


def kinds_by_owner(
    session: Session, owned: Select[int, int], on: date
) -> Mapping[int, Mapping[AccountKind, int]]:
    """Return each owner's balances by kind of account at the end of a day, in cents. One query.

    `owned` gives every account that belongs to one owner alone, with that owner. By effective
    date, each figure on its kind's normal side. Cash and cases are their balances of now less
    what moves after the day, so a balance that does not fit its entries shows; shared kinds are
    added up. The cost grows with accounts, days and entries after the last roll-up, not with the
    history. All is one statement, because a roll-up moves sums and marks together.
    """
    own, entry = owned.subquery(), LedgerEntry
    parts = union_all(
        _standing(own),
        _rolled(-1, LedgerOwnerDaily.effective_on > on, LedgerOwnerDaily.kind.in_(_OWN_KINDS)),
        _own_since(own, -1, entry.effective_on > on, LedgerAccount.kind.in_(_OWN_KINDS)),
        _rolled(1, LedgerOwnerDaily.effective_on <= on, LedgerOwnerDaily.kind.not_in(_OWN_KINDS)),
        _own_since(own, 1, entry.effective_on <= on, LedgerAccount.kind.not_in(_OWN_KINDS)),
        _shared_since(own, on),
    )
    found: dict[int, dict[AccountKind, int]] = {}
    for owner, kind, cents in session.execute(parts):
        sums = found.setdefault(owner, {})
        signed = int(normal_side(AccountKind(kind))) * whole(cents)
        sums[AccountKind(kind)] = sums.get(AccountKind(kind), 0) + signed
    return found


def accounts_owned_by(owner_type: str) -> Select[int, int]:
    """Return the accounts that were opened for owners of a type, each with its owner."""
    account = LedgerAccount
    return select(account.id, account.owner_id).where(account.owner_type == owner_type)  # type: ignore[return-value]


def roll_up_owners(session: Session, owned: Select[int, int], *, at_least: int = 1) -> int:
    """Add what accounts have posted since their mark to the sums by owner; return how many moved.

    At most 200 accounts and 50,000 entries of each are taken in one call: call again until it
    returns zero. Posting is not held up, and two runs at once cannot count an entry twice.
    """
    moved = 0
    for seen in behind_accounts(session, LedgerOwnerMark, at_least):
        part = Behind(
            seen.account_id, seen.mark, min(seen.seq, (seen.mark or 0) + _ENTRIES_AT_A_TIME)
        )
        if move_mark(session, LedgerOwnerMark, part):
            _add_days(session, owned, part)
            moved += 1
    return moved


def _standing(own: _Owned) -> Select[int, str, int]:
    account, balance = LedgerAccount, LedgerBalance
    return (
        select(own.c[1], account.kind, func.sum(balance.dr_posted - balance.cr_posted))
        .select_from(own)
        .join(account, account.id == own.c[0])
        .join(balance, balance.account_id == account.id)
        .where(account.kind.in_(_OWN_KINDS))
        .group_by(own.c[1], account.kind)
    )


def _rolled(sign: int, *conditions: ColumnElement[bool]) -> Select[int, str, int]:
    daily = LedgerOwnerDaily
    return (
        select(daily.owner_id, daily.kind, sign * func.sum(daily.dr_cents - daily.cr_cents))
        .where(*conditions)
        .group_by(daily.owner_id, daily.kind)
    )


def _own_since(own: _Owned, sign: int, *conditions: ColumnElement[bool]) -> Select[int, str, int]:
    account, entry = LedgerAccount, LedgerEntry
    balance, mark = LedgerBalance, LedgerOwnerMark
    return (
        select(own.c[1], account.kind, sign * func.sum(entry.side * entry.amount_cents))
        .select_from(own)
        .join(balance, balance.account_id == own.c[0])
        .outerjoin(mark, mark.account_id == balance.account_id)
        .join(account, account.id == balance.account_id)
        .join(entry, entry.account_id == balance.account_id)
        .where(
            balance.seq > func.coalesce(mark.seq, 0),
            entry.seq > func.coalesce(mark.seq, 0),
            entry.layer == int(Layer.POSTED),
            *conditions,
        )
        .group_by(own.c[1], account.kind)
    )


def _shared_since(own: _Owned, on: date) -> Select[int, str, int]:
    account, entry = LedgerAccount, LedgerEntry
    balance, mark = LedgerBalance, LedgerOwnerMark
    of_entries = (
        select(
            _owner_of(entry, own).label("owner"),
            account.kind.label("kind"),
            (entry.side * entry.amount_cents).label("cents"),
        )
        .select_from(account)
        .join(balance, balance.account_id == account.id)
        .outerjoin(mark, mark.account_id == account.id)
        .outerjoin(own, own.c[0] == account.id)
        .join(entry, entry.account_id == account.id)
        .where(
            # Accounts with an owner of their own are never shared; the index skips all cases.
            account.owner_type.is_(None),
            own.c[0].is_(None),
            balance.seq > func.coalesce(mark.seq, 0),
            entry.seq > func.coalesce(mark.seq, 0),
            entry.layer == int(Layer.POSTED),
            entry.effective_on <= on,
        )
        .subquery()
    )
    owner, kind, cents = of_entries.c[0], of_entries.c[1], of_entries.c[2]
    return select(owner, kind, func.sum(cents)).group_by(owner, kind)


def _owner_of(entry: type[LedgerEntry], own: _Owned) -> ColumnElement[int]:
    sibling, cousin = aliased(LedgerEntry), aliased(LedgerEntry)
    txn, other = aliased(LedgerTxn), aliased(LedgerTxn)
    mine, theirs = own.alias(), own.alias()
    same_txn = (
        select(func.min(mine.c[1]))
        .select_from(sibling)
        .join(mine, mine.c[0] == sibling.account_id)
        .where(sibling.txn_id == entry.txn_id, sibling.layer == int(Layer.POSTED))
        .correlate(entry)
        .scalar_subquery()
    )
    same_source = (
        select(func.min(theirs.c[1]))
        .select_from(txn)
        .join(
            other,
            (other.source_type == txn.source_type)
            & (other.source_ref == txn.source_ref)
            & (other.book_id == txn.book_id),
        )
        .join(cousin, cousin.txn_id == other.id)
        .join(theirs, theirs.c[0] == cousin.account_id)
        .where(txn.id == entry.txn_id, txn.source_ref != "", cousin.layer == int(Layer.POSTED))
        .correlate(entry)
        .scalar_subquery()
    )
    return func.coalesce(same_txn, same_source, literal(NOBODY))


def _add_days(session: Session, owned: Select[int, int], behind: Behind) -> None:
    own, entry = owned.subquery(), LedgerEntry
    kind, owner = session.execute(
        select(LedgerAccount.kind, own.c[1])
        .outerjoin(own, own.c[0] == LedgerAccount.id)
        .where(LedgerAccount.id == behind.account_id)
    ).one()
    owner_of: ColumnElement[int] = _owner_of(entry, own) if owner is None else literal(owner)
    entries = (
        select(owner_of.label("owner"), entry.effective_on, entry.side, entry.amount_cents)
        .where(
            entry.account_id == behind.account_id,
            entry.seq > (behind.mark or 0),
            entry.seq <= behind.seq,
            entry.layer == int(Layer.POSTED),
        )
        .subquery()
    )
    whose, day, side, cents = entries.c[0], entries.c[1], entries.c[2], entries.c[3]
    days = session.execute(
        select(
            whose,
            day,
            func.sum(case((side == int(Side.DEBIT), cents), else_=0)),
            func.sum(case((side == int(Side.CREDIT), cents), else_=0)),
            func.count(),
        ).group_by(whose, day)
    )
    rows: list[dict[str, int | str | date]] = [
        {
            "owner_id": found,
            "kind": kind,
            "effective_on": on,
            "dr_cents": whole(debit),
            "cr_cents": whole(credit),
            "entries": count,
        }
        for found, on, debit, credit, count in days
    ]
    if rows:
        add_sums(session, LedgerOwnerDaily, rows)


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """One posted line behind an owner's figure, signed on the kind's normal side."""

    effective_on: date
    amount_cents: int
    kind: str
    memo: str
    source_type: str
    source_ref: str


def lines_of_kind(
    session: Session,
    owned: Select[int, int],
    owner: int,
    kind: AccountKind,
    on: date,
    *,
    limit: int = 200,
) -> list[OwnerLine]:
    """Return the latest lines up to a day behind one owner's balance of a kind. One query."""
    own, account, entry, txn = owned.subquery(), LedgerAccount, LedgerEntry, LedgerTxn
    whose = func.coalesce(own.c[1], _owner_of(entry, own))
    rows = session.execute(
        select(
            entry.effective_on,
            account.normal_side * entry.side * entry.amount_cents,
            txn.kind,
            txn.memo,
            txn.source_type,
            txn.source_ref,
        )
        .select_from(account)
        .outerjoin(own, own.c[0] == account.id)
        .join(entry, entry.account_id == account.id)
        .join(txn, txn.id == entry.txn_id)
        .where(
            account.kind == kind.value,
            entry.layer == int(Layer.POSTED),
            entry.effective_on <= on,
            whose == owner,
        )
        .order_by(entry.effective_on.desc(), entry.txn_id.desc())
        .limit(limit)
    )
    return [OwnerLine(*row) for row in rows]


def account_balances(
    session: Session, accounts: Select[int], on: date, *, limit: int = 200
) -> dict[int, int]:
    """Return the largest balances of single accounts at the end of a day, in cents. One query."""
    own, account, entry, balance = accounts.subquery(), LedgerAccount, LedgerEntry, LedgerBalance
    later = (
        select(func.coalesce(func.sum(entry.side * entry.amount_cents), 0))
        .where(
            entry.account_id == account.id,
            entry.effective_on > on,
            entry.layer == int(Layer.POSTED),
        )
        .correlate(account)
        .scalar_subquery()
    )
    net = (account.normal_side * (balance.dr_posted - balance.cr_posted - later)).label("net")
    found = (
        select(account.id.label("id"), net)
        .select_from(own)
        .join(account, account.id == own.c[0])
        .join(balance, balance.account_id == account.id)
        .subquery()
    )
    rows = session.execute(
        select(found.c[0], found.c[1])
        .where(found.c[1] != 0)
        .order_by(found.c[1].desc(), found.c[0])
        .limit(limit)
    )
    return {account_id: whole(cents) for account_id, cents in rows}
