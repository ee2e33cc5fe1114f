"""Prior-day statements of the sandbox bank, in BAI2, made at 06:00 of the next banking day."""

from __future__ import annotations

import json
from datetime import date

from seedtrust.core.bankdays import next_banking_day, on_or_after
from seedtrust.core.clock import at_new_york
from seedtrust.formats import bai2
from seedtrust.sandbox import accounts, books, clock, events
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row

STATEMENTS_DUE = "statements"


def start(connection: Connection, day: date) -> None:
    """Put the closing of the first banking day on the agenda, in place of any other."""
    connection.execute("DELETE FROM agenda WHERE kind = ?", (STATEMENTS_DUE,))
    _schedule(connection, on_or_after(day))


def _schedule(connection: Connection, day: date) -> None:
    due_at = at_new_york(next_banking_day(day), *clock.STATEMENT_TIME)
    clock.schedule(connection, due_at, STATEMENTS_DUE, day.isoformat())


def close_day(connection: Connection, day: date) -> None:
    """Make every account's final statement of a banking day and plan the next day's."""
    for account in accounts.everyone(connection):
        if account["opened_on"] <= day.isoformat():
            _make(connection, account, day)
    _schedule(connection, next_banking_day(day))


def _make(connection: Connection, account: Row, day: date) -> None:
    number = connection.execute("SELECT count(*) + 1 FROM statement").fetchone()[0]
    lines = books.lines_between(connection, account["id"], day, day)
    closing_cents = books.ledger_cents(connection, account["id"], day)
    content = bai2.write(_file(account, day, number, lines, closing_cents))
    file_name = f"STMT-{account['id']}-{day.isoformat()}.bai2"
    connection.execute(
        "INSERT INTO statement (account_id, as_of_on, closing_cents, file_name, content)"
        " VALUES (?, ?, ?, ?, ?)",
        (account["id"], day.isoformat(), closing_cents, file_name, content),
    )
    connection.execute(
        "INSERT INTO outbox (name, content, is_written) VALUES (?, ?, 0)", (file_name, content)
    )
    events.record(
        connection,
        "statement.available",
        {
            "account_id": account["id"],
            "as_of_on": day.isoformat(),
            "format": "bai2",
            "file_name": file_name,
            "closing_cents": closing_cents,
            "lines": len(lines),
        },
    )


def _file(
    account: Row, day: date, number: int, lines: list[Row], closing_cents: int
) -> bai2.Bai2File:
    transactions = tuple(_transaction(line) for line in lines)
    moved_cents = sum(item.signed_cents for item in transactions)
    routing_number = account["routing_number"]
    group = bai2.Group(
        ultimate_receiver=account["id"],
        originator=routing_number,
        as_of_on=day,
        as_of_time="2400",
        currency="USD",
        as_of_modifier=bai2.FINAL_PREVIOUS_DAY,
        accounts=(
            bai2.Account(
                account_number=account["account_number"],
                currency="USD",
                balances=_balances(transactions, closing_cents - moved_cents, closing_cents),
                transactions=transactions,
            ),
        ),
    )
    return bai2.Bai2File(
        sender=routing_number,
        receiver=account["id"],
        created_on=next_banking_day(day),
        created_time="0600",
        file_id=str(number),
        groups=(group,),
    )


def _balances(
    transactions: tuple[bai2.Transaction, ...], opening_cents: int, closing_cents: int
) -> tuple[bai2.Balance, ...]:
    balances = [
        bai2.Balance("010", opening_cents, None, bai2.Funds()),
        bai2.Balance("015", closing_cents, None, bai2.Funds()),
        bai2.Balance("040", opening_cents, None, bai2.Funds()),
        bai2.Balance("045", closing_cents, None, bai2.Funds()),
    ]
    totals = (("100", bai2.Direction.CREDIT), ("400", bai2.Direction.DEBIT))
    for type_code, direction in totals:
        amounts = [item.amount_cents or 0 for item in transactions if item.direction is direction]
        balances.append(bai2.Balance(type_code, sum(amounts), len(amounts), bai2.Funds("Z")))
    return tuple(balances)


def _transaction(line: Row) -> bai2.Transaction:
    return bai2.Transaction(
        type_code=line["type_code"],
        amount_cents=line["amount_cents"],
        funds=bai2.Funds("0"),
        bank_reference=line["bank_reference"],
        customer_reference=line["customer_reference"],
        text_lines=tuple(json.loads(line["text_lines"])),
    )


def content(connection: Connection, account_id: str, day: date) -> bytes:
    """Return the statement of a day; raise BankProblem 404 if there is none (yet)."""
    accounts.require(connection, account_id)
    row = connection.execute(
        "SELECT content FROM statement WHERE account_id = ? AND as_of_on = ?",
        (account_id, day.isoformat()),
    ).fetchone()
    if row is None:
        message = f"There is no statement of {day} yet; it comes at 06:00 of the next banking day."
        raise BankProblem("not_found", message)
    return bytes(row["content"])
