"""Daily sums of busy accounts, so that a balance of long ago costs days and not entries."""

from __future__ import annotations

from collections.abc import Iterable
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
)
from seedtrust.domain.ledger.posting import Layer, Side
from seedtrust.domain.ledger.queries import whole

# Below this many entries, adding them up costs no more than reading their days.
_WORTH_IT: Final = 500
_ACCOUNTS_AT_A_TIME: Final = 200


@dataclass(frozen=True, slots=True)
class _Behind:
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
    for behind in _behind(session, at_least):
        if _move_mark(session, behind):
            _add_days(session, behind)
            moved += 1
    return moved


def _behind(session: Session, at_least: int) -> list[_Behind]:
    mark, balance = LedgerDailyMark, LedgerBalance
    rows = session.execute(
        select(balance.account_id, mark.seq, balance.seq)
        .select_from(balance)
        .outerjoin(mark, mark.account_id == balance.account_id)
        .where(balance.seq - func.coalesce(mark.seq, 0) >= max(at_least, 1))
        .order_by(balance.account_id)
        .limit(_ACCOUNTS_AT_A_TIME)
    )
    return [_Behind(*row) for row in rows]


def _move_mark(session: Session, behind: _Behind) -> bool:
    """Claim the entries after the mark; false if another run has claimed them."""
    connection = session.connection()
    if behind.mark is not None:
        claim = (
            update(LedgerDailyMark)
            .where(
                LedgerDailyMark.account_id == behind.account_id,
                LedgerDailyMark.seq == behind.mark,
            )
            .values(seq=behind.seq)
        )
        return connection.execute(claim).rowcount == 1
    first = insert(LedgerDailyMark).values(account_id=behind.account_id, seq=behind.seq)
    try:
        connection.execute(first)
    except IntegrityError:
        return False
    return True


def _add_days(session: Session, behind: _Behind) -> None:
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
    rows = [
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
        _add(session, rows)


def _add(session: Session, rows: Iterable[dict[str, int | date]]) -> None:
    sums = ("dr_cents", "cr_cents", "entries")
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        lite = sqlite_insert(LedgerDaily)
        added = {name: getattr(LedgerDaily, name) + lite.excluded[name] for name in sums}
        key = [LedgerDaily.account_id, LedgerDaily.effective_on]
        connection.execute(lite.on_conflict_do_update(index_elements=key, set_=added), list(rows))
        return
    my = mysql_insert(LedgerDaily)
    added = {name: getattr(LedgerDaily, name) + my.inserted[name] for name in sums}
    connection.execute(my.on_duplicate_key_update(added), list(rows))
