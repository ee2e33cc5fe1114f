"""Named reads of the books. The number of queries never depends on the number of rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from json import loads
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Executable,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from seedtrust.domain.ledger.account_kinds import AccountKind, BookCode
from seedtrust.domain.ledger.chart import unknown_account
from seedtrust.domain.ledger.models import (
    LedgerAccount,
    LedgerBalance,
    LedgerBook,
    LedgerDaily,
    LedgerDailyMark,
    LedgerEntry,
    LedgerHold,
    LedgerTxn,
)
from seedtrust.domain.ledger.posting import HoldKind, Layer, TxnKind


@dataclass(frozen=True, slots=True)
class Balance:
    """The figures of an account, in cents, on its normal side."""

    ledger_cents: int
    reserved_cents: int
    uncollected_cents: int
    available_cents: int


class LineCursor(NamedTuple):
    """The place of a line in a statement: its effective day and its place in posting order."""

    effective_on: date
    seq: int


class CaseLine(NamedTuple):
    """One line of an account's statement.

    `amount_cents` is positive where the account's balance grew (a credit to a case);
    `balance_cents` runs in effective order, ties by posting order.
    """

    txn_id: int
    effective_on: date
    kind: TxnKind
    category: str | None
    amount_cents: int
    balance_cents: int
    memo: str
    source_type: str
    source_ref: str
    counterparty_ref: str
    seq: int
    posted_at: datetime

    @property
    def cursor(self) -> LineCursor:
        """Return the place of this line, to continue after it."""
        return LineCursor(self.effective_on, self.seq)


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account, or all case accounts together, in a trial balance."""

    code: str
    kind: AccountKind
    accounts: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The balances of a book; both totals are equal or the books are broken."""

    rows: tuple[TrialRow, ...]
    debit_cents: int
    credit_cents: int


def whole(value: Decimal | int | None) -> int:
    """Return a database sum as an int; SUM over BIGINT is a Decimal on MariaDB. None is zero."""
    number = 0 if value is None else int(value)
    if number != (value or 0):
        message = f"a sum of cents must be whole, not {value}"
        raise ValueError(message)
    return number


# Expressions are built once: building them on each call costs several times their execution.
_ID: Final = bindparam("account_id", type_=BigInteger)
_ON: Final = bindparam("on", type_=Date)
_SEQ: Final = bindparam("seq", type_=BigInteger)


def _figures(balances: ColumnElement[bool], holds: ColumnElement[bool]) -> Executable:
    hold, balance = LedgerHold, LedgerBalance
    left = hold.amount_cents - hold.captured_cents - hold.released_cents
    held = (
        select(
            hold.debit_account_id,
            *(
                func.sum(case((hold.kind == kind.value, left), else_=0)).label(kind.value)
                for kind in HoldKind
            ),
        )
        .where(holds)
        .group_by(hold.debit_account_id)
        .subquery()
    )
    return (
        select(
            balance.account_id,
            balance.normal_side * (balance.dr_posted - balance.cr_posted),
            balance.normal_side * (balance.dr_pending - balance.cr_pending),
            held.c.reserved,
            held.c.uncollected,
        )
        .outerjoin(held, held.c.debit_account_id == balance.account_id)
        .where(balances)
    )


_FIGURES_OF_ONE: Final = _figures(
    LedgerBalance.account_id == _ID, LedgerHold.debit_account_id == _ID
)
_IDS: Final = bindparam("account_ids", type_=BigInteger, expanding=True)
_FIGURES_OF_MANY: Final = _figures(
    LedgerBalance.account_id.in_(_IDS), LedgerHold.debit_account_id.in_(_IDS)
)


def balance_of(session: Session, account_id: int) -> Balance:
    """Return the figures of one account now. Raises AccountNotFound."""
    row = session.execute(_FIGURES_OF_ONE, {"account_id": account_id}).one_or_none()
    if row is None:
        raise unknown_account(account_id)
    return _balance(*row[1:])


def balances_of(session: Session, account_ids: Collection[int]) -> dict[int, Balance]:
    """Return the figures of several accounts in one query; unknown ids are left out."""
    rows = session.execute(_FIGURES_OF_MANY, {"account_ids": list(account_ids)})
    return {row[0]: _balance(*row[1:]) for row in rows}


def _balance(
    posted: int, pending: int, reserved: Decimal | int | None, uncollected: Decimal | int | None
) -> Balance:
    return Balance(posted, whole(reserved), whole(uncollected), posted + pending)


def balance_as_of(session: Session, account_id: int, on: date) -> int:
    """Return the posted balance in cents at the end of a day, by effective date.

    Daily sums serve as far as they are rolled up; entries after that are added. Raises
    AccountNotFound.
    """
    wanted = {"account_id": account_id, "last_on": on}
    row = session.execute(_AS_OF, wanted).one_or_none()
    if row is None:
        raise unknown_account(account_id)
    return row[0] * whole(row[1])


def case_lines(
    session: Session,
    case_account_id: int,
    *,
    after: LineCursor | None = None,
    limit: int = 50,
    newest_first: bool = False,
) -> list[CaseLine]:
    """Return a page of an account's posted lines in effective order, with the running balance.

    `after` is the cursor of the last line seen. With `newest_first` the page runs backwards; the
    balance of each line stays the same.
    """
    wanted: dict[str, object] = {"account_id": case_account_id, "most": limit}
    if after is not None:
        wanted |= {
            "on": after.effective_on,
            "seq": after.seq,
            "last_on": after.effective_on - timedelta(days=1),
            "last_seq": after.seq - 1 if newest_first else after.seq,
        }
    packed = session.execute(_page(newest_first, after is not None), wanted).scalars()
    rows: list[_Packed] = loads(f"[{','.join(packed)}]")
    lines: list[CaseLine] = []
    running = rows[0][0] if rows else 0
    for _, txn_id, day, kind, category, amount, memo, what, ref, other, seq, at in rows:
        balance = running if newest_first else running + amount
        running = running - amount if newest_first else balance
        lines.append(
            CaseLine(
                txn_id,
                date.fromisoformat(day),
                TxnKind(kind),
                category,
                amount,
                balance,
                memo,
                what,
                ref,
                other,
                seq,
                datetime.fromisoformat(f"{at}+00:00"),
            )
        )
    return lines


# The columns of `_page`: what stood there before the page, then those of a line.
_Packed = tuple[int, int, str, str, str | None, int, str, str, str, str, int, str]


@lru_cache(maxsize=4)
def _page(newest_first: bool, goes_on: bool) -> Executable:  # noqa: FBT001 - the four shapes of a page
    # One statement, so that the opening balance and the page are of one moment.
    entry, txn = LedgerEntry, LedgerTxn
    before: ColumnElement[int]
    if goes_on:
        before = _posted_until() + _posted_on_the_day()
    else:
        before = _posted_all() if newest_first else literal(0)
    order = (
        (entry.effective_on.desc(), entry.seq.desc())
        if newest_first
        else (entry.effective_on.asc(), entry.seq.asc())
    )
    stood = LedgerAccount.normal_side * before
    # The driver reads a page of a dozen columns more slowly than the database finds it, so each
    # row comes as one.
    packed = func.json_array(
        # A sum is a decimal on MariaDB, the balance of now is not.
        cast(stood, BigInteger) if goes_on else stood,
        txn.id,
        entry.effective_on,
        txn.kind,
        txn.category,
        LedgerAccount.normal_side * entry.side * entry.amount_cents,
        txn.memo,
        txn.source_type,
        txn.source_ref,
        txn.counterparty_ref,
        entry.seq,
        txn.posted_at,
        type_=Text,
    )
    statement = (
        select(packed)
        .select_from(entry)
        .join(txn, txn.id == entry.txn_id)
        .join(LedgerAccount, LedgerAccount.id == entry.account_id)
        .where(entry.account_id == _ID, entry.layer == int(Layer.POSTED))
        .order_by(*order)
        .limit(bindparam("most", type_=Integer))
    )
    return statement.where(_beyond(newest_first)) if goes_on else statement


def _beyond(newest_first: bool) -> ColumnElement[bool]:  # noqa: FBT001 - the order of a page is a plain yes or no
    # Spelled out: MariaDB reads no index range from a comparison of row values.
    day, seq = LedgerEntry.effective_on, LedgerEntry.seq
    if newest_first:
        return and_(day <= _ON, or_(day < _ON, seq < _SEQ))
    return and_(day >= _ON, or_(day > _ON, seq > _SEQ))


def _posted_all() -> ColumnElement[int]:
    balance = LedgerBalance
    return (
        select(balance.dr_posted - balance.cr_posted)
        .where(balance.account_id == _ID)
        .scalar_subquery()
    )


def _signed() -> ColumnElement[int]:
    return func.coalesce(func.sum(LedgerEntry.side * LedgerEntry.amount_cents), 0)


def _posted_until() -> ColumnElement[int]:
    """Return debits less credits up to the end of the day `last_on`.

    Daily sums as far as they are rolled up, then the entries after that: both in one statement,
    because the mark and the sums move together.
    """
    entry, daily, mark = LedgerEntry, LedgerDaily, LedgerDailyMark
    last = bindparam("last_on", type_=Date)
    rolled = select(func.coalesce(func.sum(daily.dr_cents - daily.cr_cents), 0)).where(
        daily.account_id == _ID, daily.effective_on <= last
    )
    mark_seq = select(func.coalesce(func.max(mark.seq), 0)).where(mark.account_id == _ID)
    rest = select(_signed()).where(
        entry.account_id == _ID,
        entry.layer == int(Layer.POSTED),
        entry.seq > mark_seq.scalar_subquery(),
        entry.effective_on <= last,
    )
    return rolled.scalar_subquery() + rest.scalar_subquery()


def _posted_on_the_day() -> ColumnElement[int]:
    """Return the same of the day `on`, as far as the place `last_seq`."""
    entry = LedgerEntry
    return (
        select(_signed())
        .where(
            entry.account_id == _ID,
            entry.layer == int(Layer.POSTED),
            entry.effective_on == _ON,
            entry.seq <= bindparam("last_seq", type_=BigInteger),
        )
        .scalar_subquery()
    )


_AS_OF: Final = select(LedgerAccount.normal_side, _posted_until()).where(LedgerAccount.id == _ID)


def sums_by_kind(session: Session, on: date, book: str = BookCode.TRUST) -> dict[AccountKind, int]:
    """Return the balance of each kind of account at the end of a day, by effective date.

    Each figure stands on the kind's normal side. What moves after the day is taken off the
    balances of now, so the cost grows with the entries after the day, not with the history.
    """
    balance, account, entry, txn = LedgerBalance, LedgerAccount, LedgerEntry, LedgerTxn
    standing = (
        select(
            account.kind.label("kind"),
            func.sum(account.normal_side * (balance.dr_posted - balance.cr_posted)).label("cents"),
        )
        .select_from(balance)
        .join(account, account.id == balance.account_id)
        .join(LedgerBook, LedgerBook.id == account.book_id)
        .where(LedgerBook.code == book)
        .group_by(account.kind)
    )
    later = (
        select(account.kind, -func.sum(account.normal_side * entry.side * entry.amount_cents))
        .select_from(txn)
        .join(entry, entry.txn_id == txn.id)
        .join(account, account.id == entry.account_id)
        .join(LedgerBook, LedgerBook.id == txn.book_id)
        .where(
            LedgerBook.code == book,
            txn.effective_on > on,
            entry.layer == int(Layer.POSTED),
        )
        .group_by(account.kind)
    )
    sums: dict[AccountKind, int] = {}
    for kind, cents in session.execute(union_all(standing, later)):
        sums[AccountKind(kind)] = sums.get(AccountKind(kind), 0) + whole(cents)
    return sums


def _trial() -> Executable:
    balance, account = LedgerBalance, LedgerAccount
    book = select(LedgerBook.id).where(LedgerBook.code == bindparam("book")).scalar_subquery()
    net = balance.dr_posted - balance.cr_posted
    owed, owned = case((net > 0, net), else_=0), case((net < 0, -net), else_=0)
    # Cases alone are guarded, so their thousands of balances are added up without their accounts.
    cases = select(
        literal(AccountKind.CASE.value),
        literal(AccountKind.CASE.value),
        func.count(),
        func.coalesce(func.sum(owed), 0),
        func.coalesce(func.sum(owned), 0),
    ).where(balance.book_id == book, balance.guard == 1)
    others = (
        select(account.code, account.kind, literal(1), owed, owned)
        .select_from(balance)
        .join(account, account.id == balance.account_id)
        .where(balance.book_id == book, balance.guard == 0)
    )
    return union_all(cases, others)


_TRIAL: Final = _trial()


def trial_balance(session: Session, book: str) -> TrialBalance:
    """Return the posted balances of a book now: each account, all cases in one row."""
    found = tuple(
        sorted(
            (
                TrialRow(code, AccountKind(kind), count, whole(debit), whole(credit))
                for code, kind, count, debit, credit in session.execute(_TRIAL, {"book": book})
                if count
            ),
            key=lambda row: row.code,
        )
    )
    return TrialBalance(
        found,
        sum(row.debit_cents for row in found),
        sum(row.credit_cents for row in found),
    )


@dataclass(frozen=True, slots=True)
class HoldView:
    """What is left of a hold, and what it is for."""

    hold_id: int
    kind: HoldKind
    account_id: int
    remaining_cents: int
    source_type: str
    source_ref: str
    expires_at: datetime | None


def expired_holds(session: Session, now: datetime, *, limit: int = 500) -> list[HoldView]:
    """Return open holds whose end has come, the oldest first."""
    return _holds(session, LedgerHold.expires_at <= now, limit)


def open_holds(session: Session, account_id: int, *, limit: int = 500) -> list[HoldView]:
    """Return the open holds of an account, the oldest first."""
    return _holds(session, LedgerHold.debit_account_id == account_id, limit)


def _holds(session: Session, condition: ColumnElement[bool], limit: int) -> list[HoldView]:
    hold = LedgerHold
    left = hold.amount_cents - hold.captured_cents - hold.released_cents
    rows = session.execute(
        select(
            hold.id,
            hold.kind,
            hold.debit_account_id,
            left,
            hold.source_type,
            hold.source_ref,
            hold.expires_at,
        )
        .where(condition, left > 0)
        .order_by(hold.id)
        .limit(limit)
    )
    return [HoldView(row[0], HoldKind(row[1]), *row[2:]) for row in rows]
