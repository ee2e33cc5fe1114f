"""Many rows in one statement, the fastest way that each database's driver allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from json import loads
from typing import Final, Protocol, cast

from sqlalchemy.engine import Connection

from seedtrust.domain.ledger import statements
from seedtrust.domain.ledger.sending import quoting, send_text

# Account, seq, txn, leg, layer, side, amount, posted after, pending after, effective day.
EntryRow = tuple[int, int, int, int, int, int, int, int, int, str]
# Account, book, normal side, guard, closed, the four counters, seq.
BalanceRow = tuple[int, int, int, int, int, int, int, int, int, int]
# Book, txn, key, request hash, source, counterparty and memo, then what rows share.
HeaderRow = tuple[int, int, bytes, bytes, str, str, str, *tuple[int | str | None, ...]]

_ENTRY_ROW: Final = "(%d,%d,%d,%d,%d,%d,%d,%d,%d,'%s',UTC_TIMESTAMP(6))"
_BALANCE_ROW: Final = "(%d,%d,%d,%d,%d,%d,%d,%d,%d,%d)"
_BALANCE_COLUMNS: Final = (
    "account_id, book_id, normal_side, guard, closed, dr_posted, cr_posted, dr_pending, "
    "cr_pending, seq"
)
_MOVING: Final = ("dr_posted", "cr_posted", "dr_pending", "cr_pending", "seq")


class Rows(Protocol):
    """Locks and writes rows by the thousand."""

    def lock_balances(self, account_ids: Sequence[int]) -> list[BalanceRow]:
        """Return balance rows, locked in key order until the unit of work ends."""
        ...

    def find_headers(self, book_id: int, keys: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
        """Return id and request hash of the transactions that have one of the keys."""
        ...

    def insert_headers(self, rows: Sequence[HeaderRow]) -> None:
        """Insert headers."""
        ...

    def insert_entries(self, rows: Sequence[EntryRow]) -> None:
        """Insert entries."""
        ...

    def write_balances(self, rows: Sequence[BalanceRow]) -> None:
        """Set the counters of locked balance rows to what they are now."""
        ...

    def insert_links(self, rows: Sequence[tuple[int | str | None, ...]]) -> None:
        """Insert ties to earlier transactions."""
        ...


def rows_of(connection: Connection) -> Rows:
    """Return the way for the connection's database."""
    if connection.dialect.name == "sqlite":
        return _SqliteRows(connection)
    return _MysqlRows(connection)


class _SqliteRows:
    """SQLite runs a prepared statement per row without a round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_balances(self, account_ids: Sequence[int]) -> list[BalanceRow]:
        return _select_balances(self._connection, account_ids, "")

    def find_headers(self, book_id: int, keys: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
        found: dict[bytes, tuple[int, bytes]] = {}
        sql = "SELECT id, request_hash FROM ledger_txn WHERE book_id = ? AND idem_key = ?"
        for key in keys:
            row = self._connection.exec_driver_sql(sql, (book_id, key)).first()
            if row is not None:
                found[key] = (row[0], row[1])
        return found

    def insert_headers(self, rows: Sequence[HeaderRow]) -> None:
        marks = ", ".join("?" * statements.TXN_WIDTH)
        sql = f"INSERT INTO ledger_txn ({statements.TXN_COLUMNS}) VALUES ({marks})"
        self._connection.exec_driver_sql(sql, list(rows))

    def insert_entries(self, rows: Sequence[EntryRow]) -> None:
        clock = statements.SERVER_CLOCK[statements.SQLITE_MARK]
        marks = ", ".join("?" * 10)
        sql = f"INSERT INTO ledger_entry ({statements.ENTRY_COLUMNS}) VALUES ({marks}, {clock})"
        self._connection.exec_driver_sql(sql, list(rows))

    def write_balances(self, rows: Sequence[BalanceRow]) -> None:
        moving = ", ".join(f"{column} = ?" for column in _MOVING)
        sql = f"UPDATE ledger_balance SET {moving} WHERE account_id = ?"
        self._connection.exec_driver_sql(sql, [(*row[5:], row[0]) for row in rows])

    def insert_links(self, rows: Sequence[tuple[int | str | None, ...]]) -> None:
        self._connection.exec_driver_sql(statements.insert_link(statements.SQLITE_MARK), list(rows))


class _MysqlRows:
    """MySQL and MariaDB take thousands of rows in one statement.

    The text is built here because numbers and hashes need no escaping and the driver would spend
    more time on them than the server does; other values go through the driver's own quoting.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._escape = quoting(connection)
        self._quoted: dict[int | str | None, str] = {}
        self._tails: dict[tuple[int | str | None, ...], str] = {}

    def lock_balances(self, account_ids: Sequence[int]) -> list[BalanceRow]:
        return _select_balances(self._connection, account_ids, " FOR UPDATE")

    def find_headers(self, book_id: int, keys: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
        listed = ",".join([f"x'{key.hex()}'" for key in keys])
        rows = self._send(
            "SELECT idem_key, id, request_hash FROM ledger_txn "
            f"WHERE book_id = {book_id:d} AND idem_key IN ({listed})"
        )
        return {bytes(key): (txn_id, bytes(request)) for key, txn_id, request in rows}

    def insert_headers(self, rows: Sequence[HeaderRow]) -> None:
        listed = ",".join([self._header(row) for row in rows])
        self._send(f"INSERT INTO ledger_txn ({statements.TXN_COLUMNS}) VALUES {listed}")

    def insert_entries(self, rows: Sequence[EntryRow]) -> None:
        listed = ",".join([_ENTRY_ROW % row for row in rows])
        self._send(f"INSERT INTO ledger_entry ({statements.ENTRY_COLUMNS}) VALUES {listed}")

    def write_balances(self, rows: Sequence[BalanceRow]) -> None:
        # Absolute values under the row locks: a change added to the row that might be inserted
        # would trip its CHECK.
        listed = ",".join([_BALANCE_ROW % row for row in rows])
        moving = ", ".join(f"{column} = VALUES({column})" for column in _MOVING)
        self._send(
            f"INSERT INTO ledger_balance ({_BALANCE_COLUMNS}) VALUES {listed} "
            f"ON DUPLICATE KEY UPDATE {moving}"
        )

    def insert_links(self, rows: Sequence[tuple[int | str | None, ...]]) -> None:
        self._connection.exec_driver_sql(statements.insert_link(statements.MYSQL_MARK), list(rows))

    def _header(self, row: HeaderRow) -> str:
        book_id, txn_id, idem_key, request_hash, source_ref, counterparty_ref, memo, *rest = row
        shared = tuple(rest)
        tail = self._tails.get(shared)
        if tail is None:
            tail = self._tails[shared] = ",".join(map(self._quote, shared))
        quote = self._quote
        return (
            f"({book_id:d},{txn_id:d},x'{idem_key.hex()}',x'{request_hash.hex()}',"
            f"{self._escape(source_ref)},{quote(counterparty_ref)},{quote(memo)},{tail})"
        )

    def _quote(self, value: int | str | None) -> str:
        # Values like memos repeat.
        quoted = self._quoted.get(value)
        if quoted is None:
            quoted = self._quoted[value] = self._escape(value)
        return quoted

    def _send(self, sql: str) -> Iterable[tuple[bytes, int, bytes]]:
        result = send_text(self._connection, sql)
        rows = result.all() if result.returns_rows else []
        return cast("Sequence[tuple[bytes, int, bytes]]", rows)


def _select_balances(
    connection: Connection, account_ids: Sequence[int], lock: str
) -> list[BalanceRow]:
    listed = ",".join([f"{account_id:d}" for account_id in account_ids])
    # The driver reads ten columns of a row in ten steps of Python, and one text in one.
    rows = connection.exec_driver_sql(
        f"SELECT json_array({_BALANCE_COLUMNS}) FROM ledger_balance "
        f"WHERE account_id IN ({listed}) ORDER BY account_id{lock}"
    )
    balances: list[list[int]] = loads(f"[{','.join(rows.scalars())}]")
    return [cast("BalanceRow", tuple(row)) for row in balances]
