"""How the statements of one transaction reach the database: MariaDB takes them in one trip.

Rows that everybody shares stay locked from the first update to the commit, so each trip between
the two is time in which nobody else can post. MariaDB runs the statements as one block; SQLite has
no trips to save, and MySQL knows no such blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError, OperationalError

from seedtrust.core.db import driver_code, is_check_violation, is_duplicate_key

# The text of a statement and its values.
Sent = tuple[str, tuple[object, ...]]

# The block's own error for an update that left out an account; servers number theirs below.
_LEFT_OUT: Final = 30_001
# Texts that no quoting mode changes, as nearly all are.
_is_plain: Final = re.compile(r"[A-Za-z0-9 .,:_/-]*", re.ASCII).fullmatch
_AS_IT_IS: Final = {"no_parameters": True}


class AccountLeftOutError(Exception):
    """The update of the balances left out an account: unknown, closed, or of another book."""


def send(connection: Connection, move: Sent, accounts: int, rest: Sequence[Sent]) -> None:
    """Move the balances of so many accounts, then send the rest, up to the first that fails.

    What went before stays, as after single statements. Raises AccountLeftOutError before anything
    of the rest, and what the driver raises.
    """
    if not getattr(connection.dialect, "is_mariadb", False):
        if connection.exec_driver_sql(*move).rowcount != accounts:
            raise AccountLeftOutError
        for statement in rest:
            connection.exec_driver_sql(*statement)
        return
    block = block_of(accounts, move[0], tuple([sql for sql, _ in rest]))
    values = chain(move[1], *[given for _, given in rest])
    try:
        send_text(connection, block % tuple(map(quoting(connection), values)))
    except OperationalError as error:
        if driver_code(error) == _LEFT_OUT:
            raise AccountLeftOutError from error
        raise


@lru_cache(maxsize=1024)
def block_of(accounts: int, move: str, rest: tuple[str, ...]) -> str:
    """Return the block that moves the balances of so many accounts and then does the rest."""
    signal = f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {_LEFT_OUT}, MESSAGE_TEXT = 'left out'"
    guard = f"IF ROW_COUNT() <> {accounts} THEN {signal}; END IF"
    return f"BEGIN NOT ATOMIC {'; '.join((move, guard, *rest))}; END"


def send_text(connection: Connection, sql: str) -> CursorResult[object]:
    """Send text that holds its values, as the driver's own filling in is slow for so many."""
    return connection.exec_driver_sql(sql, execution_options=_AS_IT_IS)


def quoting(connection: Connection) -> Callable[[object], str]:
    """Return the function that writes a value into text: numbers and bytes need no escaping.

    Texts go through the driver, which knows the server's quoting mode.
    """
    driver = connection.connection.driver_connection
    escape: Callable[[object], str] = driver.escape  # type: ignore[union-attr]

    def quote(value: object) -> str:
        if type(value) is int:
            return str(value)
        if type(value) is bytes:
            return f"x'{value.hex()}'"
        if type(value) is str and _is_plain(value):
            return f"'{value}'"
        return escape(value)

    return quote


def is_overdraft(error: DBAPIError) -> bool:
    """Tell whether a CHECK of the balances refused the move; then nothing has changed."""
    return is_check_violation(error) and "ck_ledger_balance" in str(error.orig)


def is_known_key(error: DBAPIError) -> bool:
    """Tell whether the header's idempotency key was there before; then the balances have moved."""
    text = str(error.orig)
    named = "uq_ledger_txn_book_id" in text or "ledger_txn.idem_key" in text
    return named and is_duplicate_key(error)
