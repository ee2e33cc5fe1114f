"""Daily sums of busy accounts, so that a balance of long ago costs days and not entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.domain.ledger.models import (
    LedgerBalance,
    LedgerDaily,
    LedgerDailyMark,
    LedgerEntry,
    LedgerOwnerDaily,
    LedgerOwnerMark,
)
from seedtrust.domain.ledger.posting import Layer, Side
from seedtrust.domain.ledger.queries import whole

# Below this many entries, adding them up costs no more than reading their days.
_WORTH_IT: Final = 500
_ACCOUNTS_AT_A_TIME: Final = 200


@dataclass(frozen=True, slots=True)
class Behind:
    """An account whose sums reach to `mark` only, while its entries reach to `seq`."""

    account_id: int
    mark: int | None
    seq: int


def roll_up(session: Session, *, at_least: int = _WORTH_IT) -> int:
    """Add what accounts have posted since their mark to their daily sums; return how many moved.

    Accounts with fewer than `at_least` entries after the mark are left for another night. At most
    200 accounts are taken in one call: call again until it returns zero. Posting is not held up,
    and two runs at once cannot count an entry twice.
    """
    moved = 0
    for behind in behind_accounts(session, LedgerDailyMark, at_least):
        if move_mark(session, LedgerDailyMark, behind):
            _add_days(session, behind)
            moved += 1
    return moved


def behind_accounts(
    session: Session, mark: type[LedgerDailyMark | LedgerOwnerMark], at_least: int
) -> list[Behind]:
    """Return accounts with at least so many entries after their mark, 200 at a time."""
    balance = LedgerBalance
    rows = session.execute(
        select(balance.account_id, mark.seq, balance.seq)
        .select_from(balance)
        .outerjoin(mark, mark.account_id == balance.account_id)
        .where(balance.seq - func.coalesce(mark.seq, 0) >= max(at_least, 1))
        .order_by(balance.account_id)
        .limit(_ACCOUNTS_AT_A_TIME)
    )
    return [Behind(*row) for row in rows]


def move_mark(
    session: Session, mark: type[LedgerDailyMark | LedgerOwnerMark], behind: Behind
) -> bool:
    """Claim the entries after the mark; false if another run has claimed them."""
    connection = session.connection()
    if behind.mark is not None:
        claim = (
            update(mark)
            .where(mark.account_id == behind.account_id, mark.seq == behind.mark)
            .values(seq=behind.seq)
        )
        return connection.execute(claim).rowcount == 1
    first = insert(mark).values(account_id=behind.account_id, seq=behind.seq)
    try:
        connection.execute(first)
    except IntegrityError:
        return False
    return True


def _add_days(session: Session, behind: Behind) -> None:
    entry = LedgerEntry
    days = session.execute(
        select(
            entry.effective_on,
            func.sum(case((entry.side == int(Side.DEBIT), entry.amount_cents), else_=0)),
            func.sum(case((entry.side == int(Side.CREDIT), entry.amount_cents), else_=0)),
            func.count(),
        )
        .where(
            entry.account_id == behind.account_id,
            entry.seq > (behind.mark or 0),
            entry.seq <= behind.seq,
            entry.layer == int(Layer.POSTED),
        )
        .group_by(entry.effective_on)
    )
    rows: list[dict[str, int | str | date]] = [
        {
            "account_id": behind.account_id,
            "effective_on": day,
            "dr_cents": whole(debit),
            "cr_cents": whole(credit),
            "entries": count,
        }
        for day, debit, credit, count in days
    ]
    if rows:
        add_sums(session, LedgerDaily, rows)


def add_sums(
    session: Session,
    table: type[LedgerDaily | LedgerOwnerDaily],
    rows: Sequence[dict[str, int | str | date]],
) -> None:
    """Add sums to the rows of their days, which need not exist yet."""
    sums = ("dr_cents", "cr_cents", "entries")
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        lite = sqlite_insert(table)
        added = {name: getattr(table, name) + lite.excluded[name] for name in sums}
        key = list(table.__table__.primary_key)
        connection.execute(lite.on_conflict_do_update(index_elements=key, set_=added), rows)
        return
    my = mysql_insert(table)
    added = {name: getattr(table, name) + my.inserted[name] for name in sums}
    connection.execute(my.on_duplicate_key_update(added), rows)
