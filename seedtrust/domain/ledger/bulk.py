"""The bulk door: many transactions in few statements, by the rules of the single one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import journal
from seedtrust.domain.ledger.bulk_rows import BalanceRow, EntryRow, rows_of
from seedtrust.domain.ledger.posting import Leg, PostedTxn, Posting

_BATCH: Final = 5_000
_SAVEPOINT: Final = "SAVEPOINT ledger_bulk"
_FORGET: Final = "ROLLBACK TO SAVEPOINT ledger_bulk"
_KEEP: Final = "RELEASE SAVEPOINT ledger_bulk"


_HEADERS_SAVEPOINT: Final = "SAVEPOINT ledger_headers"
_HEADERS_FORGET: Final = "ROLLBACK TO SAVEPOINT ledger_headers"
_HEADERS_KEEP: Final = "RELEASE SAVEPOINT ledger_headers"

# Keys are unique within a book.
_Key = tuple[int, bytes]


class _Account:
    """The running figures of a locked account; balances stand on its normal side."""

    __slots__ = (
        "book_id",
        "closed",
        "counters",
        "guard",
        "moved",
        "normal_side",
        "pending",
        "posted",
        "seq",
    )

    def __init__(self, row: BalanceRow) -> None:
        self.book_id, self.normal_side, self.guard, self.closed = row[1:5]
        self.counters = list(row[5:9])
        self.seq = row[9]
        self.posted = self.normal_side * (row[5] - row[6])
        self.pending = self.normal_side * (row[7] - row[8])
        self.moved = False

    def add(self, side: int, amount_cents: int) -> None:
        """Count a posted leg; holds do not come in bulk."""
        self.seq += 1
        self.moved = True
        self.counters[side < 0] += amount_cents
        self.posted += self.normal_side * side * amount_cents

    def row(self, account_id: int) -> BalanceRow:
        """Return the row to write."""
        dr_posted, cr_posted, dr_pending, cr_pending = self.counters
        return (
            account_id,
            self.book_id,
            self.normal_side,
            self.guard,
            self.closed,
            dr_posted,
            cr_posted,
            dr_pending,
            cr_pending,
            self.seq,
        )


def post_many(
    session: Session, actor: Actor, postings: Sequence[Posting], *, now: datetime
) -> list[PostedTxn]:
    """Write many transactions in order and return their outcomes in the same order.

    The rules are those of `post`, applied after each transaction, and the first refusal is
    raised; then nothing of the call is written and the unit of work stays usable. Postings whose
    key is known are replays. Some 5,000 go into one statement; the caller chooses how many
    go into one unit of work.
    """
    items = [journal.draft(posting) for posting in postings]
    if not items:
        return []
    connection = session.connection()
    connection.exec_driver_sql(_SAVEPOINT)
    try:
        writer = _BulkWriter(session, actor, now)
        writer.lock(items)
        done: list[PostedTxn] = []
        for start in range(0, len(items), _BATCH):
            done += writer.write(items[start : start + _BATCH])
        writer.write_balances()
    except (DomainError, DBAPIError):
        connection.exec_driver_sql(_FORGET)
        raise
    connection.exec_driver_sql(_KEEP)
    return done


class _BulkWriter:
    """Works out sequences and balances in memory, under the locks of all balance rows."""

    def __init__(self, session: Session, actor: Actor, now: datetime) -> None:
        self._session = session
        self._actor = actor
        self._posted_at = journal.stamp(now)
        self._connection = session.connection()
        self._rows = rows_of(self._connection)
        self._accounts: dict[int, _Account] = {}

    def write(self, items: list[journal.Draft]) -> list[PostedTxn]:
        """Write what is new and return the outcome of every item."""
        stored: dict[_Key, tuple[int, bytes]] = {}
        fresh, done = self._sort(items, stored)
        while (clash := self._insert_headers(fresh)) is not None:
            # Somebody wrote one of these keys before: those items are replays.
            found = self._find(items)
            if len(found) == len(stored):
                raise clash
            stored = found
            fresh, done = self._sort(items, stored)
        entries: list[EntryRow] = []
        for txn_id, item in fresh:
            self._apply(txn_id, item, entries)
        if entries:
            # In the order of the primary key, in which the database keeps them.
            entries.sort()
            self._rows.insert_entries(entries)
        self._link(fresh)
        return done

    def lock(self, items: list[journal.Draft]) -> None:
        """Lock the balance rows of all items and read their figures."""
        ids = sorted({leg.account_id for item in items for leg in item.posting.legs})
        self._accounts = {row[0]: _Account(row) for row in self._rows.lock_balances(ids)}

    def _key(self, item: journal.Draft) -> _Key:
        account = self._accounts.get(item.posting.legs[0].account_id)
        if account is None:
            raise journal.misfit(self._session, item.posting.legs)
        return account.book_id, item.idem_key

    def _sort(
        self, items: list[journal.Draft], stored: dict[_Key, tuple[int, bytes]]
    ) -> tuple[list[tuple[int, journal.Draft]], list[PostedTxn]]:
        """Tell new items from replays of stored ones and of earlier items of the same batch."""
        seen = dict(stored)
        fresh: list[tuple[int, journal.Draft]] = []
        done: list[PostedTxn] = []
        for item in items:
            key = self._key(item)
            earlier = seen.get(key)
            if earlier is None:
                txn_id = new_id()
                seen[key] = (txn_id, item.request_hash)
                fresh.append((txn_id, item))
                done.append(PostedTxn(txn_id, replayed=False))
            else:
                done.append(journal.replay_of(*earlier, item.request_hash))
        return fresh, done

    def _insert_headers(self, fresh: list[tuple[int, journal.Draft]]) -> IntegrityError | None:
        """Insert the headers of new items, or return the error that one of them is stored."""
        if not fresh:
            return None
        accounts = self._accounts
        rows = [
            (
                accounts[item.posting.legs[0].account_id].book_id,
                txn_id,
                *journal.header_rest(self._actor, item, self._posted_at),
            )
            for txn_id, item in fresh
        ]
        self._connection.exec_driver_sql(_HEADERS_SAVEPOINT)
        try:
            self._rows.insert_headers(rows)
        except IntegrityError as error:
            self._connection.exec_driver_sql(_HEADERS_FORGET)
            return error
        self._connection.exec_driver_sql(_HEADERS_KEEP)
        return None

    def _find(self, items: list[journal.Draft]) -> dict[_Key, tuple[int, bytes]]:
        by_book: dict[int, list[bytes]] = {}
        for item in items:
            book_id, key = self._key(item)
            by_book.setdefault(book_id, []).append(key)
        return {
            (book_id, key): header
            for book_id, keys in by_book.items()
            for key, header in self._rows.find_headers(book_id, keys).items()
        }

    def _apply(self, txn_id: int, item: journal.Draft, entries: list[EntryRow]) -> None:
        accounts = self._accounts
        legs, day = item.posting.legs, item.day
        book_id = accounts[legs[0].account_id].book_id
        guarded: set[int] = set()
        for number, leg in enumerate(legs):
            account_id, side, layer = leg.account_id, leg.side, leg.layer
            account = accounts.get(account_id)
            if account is None or account.closed or account.book_id != book_id:
                raise journal.misfit(self._session, legs)
            account.add(side, leg.amount_cents)
            if account.guard:
                guarded.add(account_id)
            entries.append(
                (
                    account_id,
                    account.seq,
                    txn_id,
                    number,
                    layer,
                    side,
                    leg.amount_cents,
                    account.posted,
                    account.pending,
                    day,
                )
            )
        for account_id in guarded:
            self._refuse_overdraft(account_id, legs)

    def _refuse_overdraft(self, account_id: int, legs: Sequence[Leg]) -> None:
        """Do what the CHECK does for a single posting, after each one of many."""
        account = self._accounts[account_id]
        left = account.posted + account.pending
        if left < 0:
            needed = -account.normal_side * sum(
                leg.side * leg.amount_cents for leg in legs if leg.account_id == account_id
            )
            raise journal.insufficient(account_id, left + needed, needed)

    def write_balances(self) -> None:
        """Write the figures of all accounts that moved."""
        moved = [
            account.row(account_id)
            for account_id, account in self._accounts.items()
            if account.moved
        ]
        for start in range(0, len(moved), _BATCH):
            self._rows.write_balances(moved[start : start + _BATCH])

    def _link(self, fresh: list[tuple[int, journal.Draft]]) -> None:
        links = [
            journal.link_row(txn_id, link) for txn_id, item in fresh for link in item.posting.links
        ]
        if links:
            try:
                self._rows.insert_links(links)
            except IntegrityError as error:
                journal.refuse_second_reversal(error)
                raise
