"""Checks of the sandbox bank: deposited, credited at once, and sent back when they bounce."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Final

from seedtrust.core.bankdays import next_banking_day
from seedtrust.core.clock import at_new_york, business_date
from seedtrust.sandbox import accounts, books, clock, events
from seedtrust.sandbox.books import Movement
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row
from seedtrust.sandbox.wires import InboundRequest

DEPOSIT_DUE: Final = "check_deposit"
RETURN_DUE: Final = "check_return"
DEPOSIT_CODE: Final = "175"
RETURN_CODE: Final = "555"
KIND: Final = "check"
# After the returns of ACH payments of the same morning.
BOUNCE_TIME: Final = (8, 45)


def deposit(
    connection: Connection, request: InboundRequest, idempotency_key: str | None
) -> tuple[Row, bool]:
    """Take a check to an account's credit: at once on a banking day, else at the next opening.

    Returns the deposit, and whether this call repeats an earlier one. Raises BankProblem if the
    account is unknown or the key came with another request.
    """
    request_hash = hashlib.sha256(json.dumps(asdict(request), sort_keys=True).encode()).hexdigest()
    if idempotency_key is not None:
        existing = connection.execute(
            "SELECT * FROM check_deposit WHERE idempotency_key = ?", (idempotency_key,)
        ).fetchone()
        if existing is not None:
            if existing["request_hash"] != request_hash:
                raise BankProblem("reference_reused", "This key came with another check before.")
            return existing, True
    accounts.named_in_body(connection, request.account_id)
    now = clock.now(connection)
    posts_at = clock.wire_moment(now)
    number = connection.execute("SELECT count(*) + 1 FROM check_deposit").fetchone()[0]
    deposit_id = f"CHK-{number:08d}"
    connection.execute(
        "INSERT INTO check_deposit (id, idempotency_key, request_hash, account_id, amount_cents,"
        " sender_name, text, reference, status, posts_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)",
        (
            deposit_id,
            idempotency_key,
            request_hash,
            request.account_id,
            request.amount_cents,
            request.sender_name,
            request.text,
            request.reference,
            clock.to_text(posts_at),
        ),
    )
    if posts_at <= now:
        credit(connection, deposit_id)
    else:
        clock.schedule(connection, posts_at, DEPOSIT_DUE, deposit_id)
    return require(connection, deposit_id), False


def credit(connection: Connection, deposit_id: str) -> None:
    """Credit a check; its statement line carries the drawer, the text and the reference."""
    row = require(connection, deposit_id)
    texts = [f"CHECK DEPOSIT FROM {row['sender_name']}"]
    texts.extend(
        f"{label}={row[field]}"
        for label, field in (("TEXT", "text"), ("REF", "reference"))
        if row[field]
    )
    line = books.enter(
        connection,
        "check_in",
        Movement(
            account_id=row["account_id"],
            direction="credit",
            amount_cents=row["amount_cents"],
            contra=books.CHECK_NETWORK,
            type_code=DEPOSIT_CODE,
            customer_reference=row["reference"],
            text_lines=tuple(texts),
        ),
    )
    connection.execute(
        "UPDATE check_deposit SET status = 'received', line_id = ? WHERE id = ?",
        (line.line_id, deposit_id),
    )
    shown = as_json(connection, require(connection, deposit_id))
    events.record(connection, "deposit.received", shown)


def order_return(connection: Connection, deposit_id: str, reason: str) -> tuple[Row, bool]:
    """Have a check bounce: it comes back at 08:45 of the next banking day.

    Returns the deposit, and whether a return was ordered before; the first reason stays. Raises
    BankProblem if there is no such deposit or it has not been credited yet.
    """
    row = require(connection, deposit_id)
    if row["status"] == "queued":
        message = "This check has not been credited yet. Wait for the next opening."
        raise BankProblem("wrong_state", message, status=row["status"])
    if row["return_due_at"] is not None:
        return row, True
    due_on = next_banking_day(business_date(clock.now(connection)))
    due_at = at_new_york(due_on, *BOUNCE_TIME)
    connection.execute(
        "UPDATE check_deposit SET return_reason = ?, return_due_at = ? WHERE id = ?",
        (reason, clock.to_text(due_at), deposit_id),
    )
    clock.schedule(connection, due_at, RETURN_DUE, deposit_id)
    return require(connection, deposit_id), False


def bounce(connection: Connection, deposit_id: str) -> None:
    """Take the amount of a bounced check back, whether or not the account covers it."""
    row = require(connection, deposit_id)
    line = books.enter(
        connection,
        "check_return",
        Movement(
            account_id=row["account_id"],
            direction="debit",
            amount_cents=row["amount_cents"],
            contra=books.CHECK_NETWORK,
            type_code=RETURN_CODE,
            customer_reference=row["reference"],
            text_lines=(
                f"DEPOSITED ITEM RETURNED {row['sender_name']}",
                f"REASON={row['return_reason']}",
                f"ORIG={_line_reference(connection, row['line_id'])}",
            ),
        ),
    )
    connection.execute(
        "UPDATE check_deposit SET status = 'returned', return_line_id = ? WHERE id = ?",
        (line.line_id, deposit_id),
    )
    shown = as_json(connection, require(connection, deposit_id))
    events.record(connection, "deposit.returned", shown)


def require(connection: Connection, deposit_id: str) -> Row:
    """Return a check deposit; raise BankProblem 404 if there is none."""
    row: Row | None = connection.execute(
        "SELECT * FROM check_deposit WHERE id = ?", (deposit_id,)
    ).fetchone()
    if row is None:
        raise BankProblem("not_found", f"There is no deposit {deposit_id}.")
    return row


def as_json(connection: Connection, row: Row) -> dict[str, object]:
    """Return a check deposit as replies and events show it."""
    due_at = row["return_due_at"]
    return {
        "id": row["id"],
        "kind": KIND,
        "account_id": row["account_id"],
        "amount_cents": row["amount_cents"],
        "sender_name": row["sender_name"],
        "text": row["text"],
        "reference": row["reference"],
        "status": row["status"],
        "business_on": business_date(clock.from_text(row["posts_at"])).isoformat(),
        "bank_reference": _line_reference(connection, row["line_id"]),
        "return_reason": row["return_reason"],
        "returned_on": None
        if due_at is None
        else business_date(clock.from_text(due_at)).isoformat(),
        "return_bank_reference": _line_reference(connection, row["return_line_id"]),
    }


def _line_reference(connection: Connection, line_id: int | None) -> str | None:
    row = connection.execute("SELECT bank_reference FROM line WHERE id = ?", (line_id,)).fetchone()
    return None if row is None else str(row["bank_reference"])
