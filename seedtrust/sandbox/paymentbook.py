"""The payments that the sandbox bank was asked for: their rows, and how replies show them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from seedtrust.core.clock import business_date
from seedtrust.formats import nacha
from seedtrust.sandbox import books, clock, events
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.settings import Settings
from seedtrust.sandbox.store import Connection, Row

OPEN_STATES: Final = frozenset({"accepted", "in_review", "sent"})
PAGE: Final = 100


def require(connection: Connection, payment_id: str) -> Row:
    """Return a payment; raise BankProblem 404 if there is none."""
    row: Row | None = connection.execute(
        "SELECT * FROM payment WHERE id = ?", (payment_id,)
    ).fetchone()
    if row is None:
        raise BankProblem("not_found", f"There is no payment {payment_id}.")
    return row


def of_reference(connection: Connection, client_reference: str) -> list[Row]:
    """Return the payments with a client reference, oldest first."""
    return connection.execute(
        "SELECT * FROM payment WHERE client_reference = ? ORDER BY id", (client_reference,)
    ).fetchall()


def of_entry(connection: Connection, entry_id: int) -> Row | None:
    """Return the payment that an ACH entry was made for, or None if a file brought it."""
    row: Row | None = connection.execute(
        "SELECT * FROM payment WHERE entry_id = ?", (entry_id,)
    ).fetchone()
    return row


def search(
    connection: Connection, client_reference: str | None, settings: Settings, now: datetime
) -> list[Row]:
    """Return the payments with a reference, or the latest hundred, as far as the look-up sees.

    ``now`` is real time, because a stale look-up lags behind in seconds that callers wait.
    Raises BankProblem if the bank offers no look-up.
    """
    if settings.lookup == "off":
        raise BankProblem("not_supported", "This bank has no look-up by reference.")
    seen_until = "9999"
    if settings.lookup == "stale":
        seen_until = clock.to_text(now - timedelta(seconds=settings.lookup_stale_seconds))
    if client_reference is None:
        return connection.execute(
            "SELECT * FROM payment WHERE received_really_at <= ? ORDER BY id DESC LIMIT ?",
            (seen_until, PAGE),
        ).fetchall()
    rows = of_reference(connection, client_reference)
    return [row for row in rows if row["received_really_at"] <= seen_until]


def mark(
    connection: Connection, payment: Row, status: str, **columns: str | int | None
) -> dict[str, object]:
    """Give a payment its next status, tell it by event, and return it as replies show it."""
    names = ["status", *columns]
    connection.execute(
        f"UPDATE payment SET {', '.join(f'{name} = ?' for name in names)}"  # noqa: S608 - columns
        " WHERE id = ?",
        (status, *columns.values(), payment["id"]),
    )
    return tell(connection, payment["id"], status)


def tell(connection: Connection, payment_id: str, what: str) -> dict[str, object]:
    """Write an event about a payment as it stands, and return it as replies show it."""
    shown = as_json(connection, require(connection, payment_id))
    events.record(connection, f"payment.{what}", shown)
    return shown


def as_json(connection: Connection, row: Row) -> dict[str, object]:
    """Return a payment as replies and events show it; the account number is masked."""
    entry_id = row["entry_id"]
    return {
        "id": row["id"],
        "client_reference": row["client_reference"],
        "rail": row["rail"],
        "account_id": row["account_id"],
        "amount_cents": row["amount_cents"],
        "status": row["status"],
        "status_reason": row["status_reason"] or None,
        "counterparty": {
            "name": row["counterparty_name"],
            "routing_number": row["counterparty_routing"],
            "account_number_last4": row["counterparty_account"][-4:],
            "account_type": row["counterparty_account_type"],
            "party_kind": row["counterparty_party_kind"],
        },
        "memo": row["memo"],
        "requested_on": row["requested_on"],
        "received_at": clock.shown(row["received_at"]),
        "sent_at": clock.shown(row["sent_at"]),
        "settles_on": business_date(clock.from_text(row["settles_at"])).isoformat(),
        "settled_at": clock.shown(row["settled_at"]),
        "trace_number": None if entry_id is None else _trace_number(connection, entry_id),
        "imad": row["imad"],
        "bank_reference": None
        if row["line_id"] is None
        else books.bank_reference(connection, row["line_id"]),
        "return": None if row["status"] != "returned" else _return(connection, entry_id),
        "corrections": [] if entry_id is None else _corrections(connection, entry_id),
    }


def _trace_number(connection: Connection, entry_id: int) -> str:
    row = connection.execute(
        "SELECT trace_number FROM ach_entry WHERE id = ?", (entry_id,)
    ).fetchone()
    return str(row["trace_number"])


def _return(connection: Connection, entry_id: int) -> dict[str, object]:
    row = connection.execute(
        "SELECT code, due_at, trace_number FROM ach_return WHERE entry_id = ?", (entry_id,)
    ).fetchone()
    return {
        "code": row["code"],
        "reason": nacha.RETURN_CODES[row["code"]].meaning,
        "returned_on": business_date(clock.from_text(row["due_at"])).isoformat(),
        "trace_number": row["trace_number"],
    }


def _corrections(connection: Connection, entry_id: int) -> list[dict[str, object]]:
    rows = connection.execute(
        "SELECT code, corrected_data, due_at FROM ach_change"
        " WHERE entry_id = ? AND file_name IS NOT NULL ORDER BY due_at, code",
        (entry_id,),
    ).fetchall()
    return [
        {
            "code": row["code"],
            "corrected_data": row["corrected_data"],
            "noted_on": business_date(clock.from_text(row["due_at"])).isoformat(),
        }
        for row in rows
    ]
