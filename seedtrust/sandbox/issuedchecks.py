"""Checks that customers draw: told in positive-pay files, paid when somebody presents them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.clock import at_new_york
from seedtrust.sandbox import books, clock
from seedtrust.sandbox.books import Movement
from seedtrust.sandbox.problems import BankProblem, parse_day
from seedtrust.sandbox.store import Connection, Row

PRESENTED_DUE: Final = "check_presented"
# BAI2: a check that was paid.
PAID_CODE: Final = "475"
ISSUED: Final = "IS"
VOID: Final = "CN"
_FIELDS: Final = 7
_DAYS: Final = 3
_TIME: Final = (8, 30)
_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Told:
    """One row of a positive-pay file: account, amount, number, day, payee, type."""

    account_id: str
    amount_cents: int
    number: int
    issued_on: date
    payee: str
    type: str


def parse(content: bytes) -> list[Told]:
    """Read a positive-pay file: account, amount, number, date, payee, additional data, type.

    Raises BankProblem for a row that is not of this form; then nothing of the file counts.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("ascii")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BankProblem("malformed", "This is no positive-pay file.") from error
    return [_row(row) for row in rows if row]


def take(connection: Connection, told: list[Told]) -> None:
    """Keep what checks may be paid, and which not any more; told again changes nothing.

    A check that may be paid is presented at 08:30 of the third banking day after its date, or
    after today. Raises BankProblem for an account that the bank does not have.
    """
    for one in told:
        known = _find(connection, one.account_id, one.number)
        if one.type == VOID:
            if known is not None and known["status"] in {"issued", "held"}:
                _become(connection, known["id"], "void")
            continue
        if known is not None:
            continue
        is_ours = connection.execute(
            "SELECT 1 FROM account WHERE id = ?", (one.account_id,)
        ).fetchone()
        if is_ours is None:
            raise BankProblem("not_found", f"There is no account {one.account_id}.")
        row_id = connection.execute(
            "INSERT INTO issued_check (account_id, number, amount_cents, payee, issued_on, status)"
            " VALUES (?, ?, ?, ?, ?, 'issued')",
            (one.account_id, one.number, one.amount_cents, one.payee, one.issued_on.isoformat()),
        ).lastrowid
        first = max(one.issued_on, clock.today(connection))
        due_at = at_new_york(add_banking_days(first, _DAYS), *_TIME)
        clock.schedule(connection, due_at, PRESENTED_DUE, str(row_id))


def present_due(connection: Connection, row_id: int) -> None:
    """Pay a check whose day has come, unless it is void, held back, or paid."""
    row = connection.execute("SELECT * FROM issued_check WHERE id = ?", (row_id,)).fetchone()
    if row["status"] == "issued":
        _pay(connection, row)


def hold(connection: Connection, account_id: str, number: int) -> Row:
    """Have the payee keep a check in a drawer. Raises BankProblem unless it is outstanding."""
    row = _require(connection, account_id, number)
    if row["status"] not in {"issued", "held"}:
        raise BankProblem("wrong_state", "This check is not outstanding.", status=row["status"])
    _become(connection, row["id"], "held")
    return _require(connection, account_id, number)


def present(connection: Connection, account_id: str, number: int) -> Row:
    """Have the payee present a check now. Raises BankProblem for one that is void or paid."""
    row = _require(connection, account_id, number)
    if row["status"] not in {"issued", "held"}:
        raise BankProblem("wrong_state", "This check is not paid.", status=row["status"])
    _pay(connection, row)
    return _require(connection, account_id, number)


def as_json(row: Row) -> dict[str, object]:
    """Return a check as replies show it."""
    names = ("account_id", "number", "amount_cents", "payee", "issued_on", "status")
    return {name: row[name] for name in names}


def _pay(connection: Connection, row: Row) -> None:
    line = books.enter(
        connection,
        "check_paid",
        Movement(
            account_id=row["account_id"],
            direction="debit",
            amount_cents=row["amount_cents"],
            contra=books.CHECK_NETWORK,
            type_code=PAID_CODE,
            customer_reference=str(row["number"]),
            text_lines=(f"CHECK {row['number']} PAID", row["payee"]),
        ),
    )
    connection.execute(
        "UPDATE issued_check SET status = 'paid', line_id = ? WHERE id = ?",
        (line.line_id, row["id"]),
    )


def _become(connection: Connection, row_id: int, status: str) -> None:
    connection.execute("UPDATE issued_check SET status = ? WHERE id = ?", (status, row_id))


def _find(connection: Connection, account_id: str, number: int) -> Row | None:
    row: Row | None = connection.execute(
        "SELECT * FROM issued_check WHERE account_id = ? AND number = ?", (account_id, number)
    ).fetchone()
    return row


def _require(connection: Connection, account_id: str, number: int) -> Row:
    row = _find(connection, account_id, number)
    if row is None:
        raise BankProblem("not_found", f"There is no check {number} on this account.")
    return row


def _row(row: list[str]) -> Told:
    if len(row) != _FIELDS:
        raise BankProblem("malformed", f"A row has {_FIELDS} fields.")
    account_id, amount, number, issued_on, payee, _, kind = row
    day = parse_day(issued_on)
    dollars, point, cents = amount.partition(".")
    is_amount = point and dollars.isdecimal() and cents.isdecimal() and len(cents) == 2  # noqa: PLR2004 - cents
    if day is None or not is_amount or not _NUMBER.fullmatch(number) or kind not in {ISSUED, VOID}:
        raise BankProblem("malformed", "A row has an amount, a number, a date and IS or CN.")
    return Told(account_id, int(dollars + cents), int(number), day, payee, kind)
