"""The chart of accounts: codes, opening, closing and finding accounts."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.ids import new_id
from seedtrust.domain.ledger import statements
from seedtrust.domain.ledger.account_kinds import (
    GUARDED,
    STANDARD,
    AccountKind,
    BookCode,
    normal_side,
)
from seedtrust.domain.ledger.errors import AccountNotEmpty, AccountNotFound
from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance, LedgerBook

__all__ = [
    "AccountKind",
    "BookCode",
    "account_id",
    "account_ids",
    "bank_cash_code",
    "case_code",
    "close_account",
    "in_transit_code",
    "open_account",
    "open_books",
    "open_case_account",
    "open_trust_account",
    "reopen_account",
]

_FIRST_DAY: Final = date(1970, 1, 1)
# Where a connection remembers the account against which everything is held.
_COMMITMENTS: Final = "ledger.commitments"

RAILS: Final = ("ach", "wire", "rtp", "check", "book")
DIRECTIONS: Final = ("out", "in")


def bank_cash_code(trust_account: str) -> str:
    """Return the code of a trust account's cash, for example `bank_cash:main`."""
    return f"{AccountKind.BANK_CASH}:{trust_account}"


def in_transit_code(rail: str, direction: str) -> str:
    """Return the code of money under way on a rail, for example `in_transit:ach:out`."""
    return f"{AccountKind.IN_TRANSIT}:{rail}:{direction}"


def case_code(case_id: int) -> str:
    """Return the code of a case ledger."""
    return f"{AccountKind.CASE}:{case_id}"


def open_books(session: Session, now: datetime, *, open_from: date | None = None) -> None:
    """Create both books with their standard accounts; nothing happens where they exist.

    `open_from` is the first day that takes postings; without it, the beginning of time.
    """
    for book in BookCode:
        _open_book(session, book, open_from or _FIRST_DAY, now)
        for kind in STANDARD[book]:
            open_account(session, book, kind, kind.value, now)


def open_trust_account(session: Session, code: str, now: datetime) -> int:
    """Create a trust account's cash and the accounts of money under way; return the cash account.

    `code` names the bank account, for example `main`. Safe to repeat.
    """
    for rail in RAILS:
        for direction in DIRECTIONS:
            transit = in_transit_code(rail, direction)
            open_account(session, BookCode.TRUST, AccountKind.IN_TRANSIT, transit, now)
    cash = bank_cash_code(code)
    return open_account(session, BookCode.TRUST, AccountKind.BANK_CASH, cash, now)


def open_case_account(session: Session, case_id: int, now: datetime) -> int:
    """Create a case's ledger account, guarded against overdraft, and return its id."""
    return open_account(
        session,
        BookCode.TRUST,
        AccountKind.CASE,
        case_code(case_id),
        now,
        owner=("case", case_id),
    )


def open_account(
    session: Session,
    book: str,
    kind: AccountKind,
    code: str,
    now: datetime,
    *,
    owner: tuple[str, int] | None = None,
) -> int:
    """Create an account with its balance row at zero and return its id; safe to repeat.

    Raises AccountNotFound if the book is not open.
    """
    found = _find(session, book, code)
    if found is not None:
        return found
    new_account_id = new_id()
    owner_type, owner_id = owner or (None, None)
    book_id = _book_id(session, book)
    side = int(normal_side(kind))
    account = insert(LedgerAccount).values(
        id=new_account_id,
        book_id=book_id,
        code=code,
        kind=kind.value,
        normal_side=side,
        owner_type=owner_type,
        owner_id=owner_id,
        created_at=now,
    )
    # Plain inserts on the connection: a refused one leaves the session as it was.
    connection = session.connection()
    try:
        connection.execute(account)
    except IntegrityError:
        # Another process opened it between the look and the insert.
        return account_id(session, book, code)
    balance = insert(LedgerBalance).values(
        account_id=new_account_id,
        book_id=book_id,
        normal_side=side,
        guard=int(kind in GUARDED),
    )
    connection.execute(balance)
    return new_account_id


def account_id(session: Session, book: str, code: str) -> int:
    """Return the id of an account by its book and code. Raises AccountNotFound."""
    found = _find(session, book, code)
    if found is None:
        raise _unknown_code(book, code)
    return found


def account_ids(session: Session, book: str, codes: Collection[str]) -> dict[str, int]:
    """Return the ids of several accounts by code, in one query. Raises AccountNotFound."""
    rows = session.execute(
        select(LedgerAccount.code, LedgerAccount.id)
        .join(LedgerBook, LedgerBook.id == LedgerAccount.book_id)
        .where(LedgerBook.code == book, LedgerAccount.code.in_(codes))
    )
    found = {code: row_id for code, row_id in rows}  # noqa: C416 - unpacks typed rows
    for code in codes:
        if code not in found:
            raise _unknown_code(book, code)
    return found


def close_account(session: Session, row_id: int) -> None:
    """Refuse postings to an account from now on.

    Raises AccountNotEmpty unless it stands at zero with nothing held, AccountNotFound.
    """
    balance = LedgerBalance
    closed = session.connection().execute(
        update(LedgerBalance)
        .where(
            balance.account_id == row_id,
            balance.dr_posted == balance.cr_posted,
            balance.dr_pending == balance.cr_pending,
        )
        .values(closed=1)
    )
    if closed.rowcount == 0:
        _require(session, row_id)
        message = "Only an account at 0.00 with nothing held can be closed."
        raise AccountNotEmpty(message, account_id=row_id)


def reopen_account(session: Session, row_id: int) -> None:
    """Let a closed account take postings again. Raises AccountNotFound."""
    _require(session, row_id)
    session.connection().execute(
        update(LedgerBalance).where(LedgerBalance.account_id == row_id).values(closed=0)
    )


def commitments_of(session: Session, row_id: int) -> int:
    """Return the account that stands against every pending leg in the book of an account.

    Raises AccountNotFound for an unknown account, and for a book that holds nothing back.
    """
    connection = session.connection()
    sql = statements.find_commitments(statements.mark_of(connection.dialect.name))
    known: int | None = connection.exec_driver_sql(sql, (row_id,)).scalar_one_or_none()
    if known is None:
        _require(session, row_id)
        message = "Money can only be held in the trust book."
        raise AccountNotFound(message, code=AccountKind.COMMITMENTS.value)
    connection.info[_COMMITMENTS] = known
    return known


def commitments_seen(session: Session) -> int | None:
    """Return what `commitments_of` last said on this connection, to be tried without asking."""
    seen: int | None = session.connection().info.get(_COMMITMENTS)
    return seen


def unknown_account(row_id: int) -> AccountNotFound:
    """Return the error for an account id that the books do not know."""
    return AccountNotFound("The books have no account with this id.", account_id=row_id)


def _require(session: Session, row_id: int) -> None:
    if session.get(LedgerAccount, row_id) is None:
        raise unknown_account(row_id)


def _open_book(session: Session, book: BookCode, open_from: date, now: datetime) -> None:
    known = session.execute(select(LedgerBook.id).where(LedgerBook.code == book.value))
    if known.scalar_one_or_none() is not None:
        return
    row = insert(LedgerBook).values(
        id=new_id(), code=book.value, kind=book.value, open_from=open_from, created_at=now
    )
    # Another process may open it between the look and the insert: that is as good.
    with suppress(IntegrityError):
        session.connection().execute(row)


def _find(session: Session, book: str, code: str) -> int | None:
    return session.execute(
        select(LedgerAccount.id)
        .join(LedgerBook, LedgerBook.id == LedgerAccount.book_id)
        .where(LedgerBook.code == book, LedgerAccount.code == code)
    ).scalar_one_or_none()


def _book_id(session: Session, book: str) -> int:
    found = session.execute(
        select(LedgerBook.id).where(LedgerBook.code == book)
    ).scalar_one_or_none()
    if found is None:
        message = f"There is no book named {book}. Open the books first."
        raise AccountNotFound(message, book=book)
    return found


def _unknown_code(book: str, code: str) -> AccountNotFound:
    message = f"The {book} book has no account {code}. Open it before posting to it."
    return AccountNotFound(message, book=book, code=code)
