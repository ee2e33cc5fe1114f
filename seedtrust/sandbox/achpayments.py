"""Payments over the API by ACH: each travels as an entry in a batch of the bank's own."""

from __future__ import annotations

from typing import Final

from seedtrust.core.clock import business_date
from seedtrust.sandbox import accounts, achentries, books, clock, settlement
from seedtrust.sandbox.books import Movement
from seedtrust.sandbox.store import Connection, Row

# Credits to checking and to savings accounts, as NACHA entries carry them.
TRANSACTION_CODES: Final = {"checking": 22, "savings": 32}
LONGEST_IDENTIFICATION: Final = 15
LONGEST_NAME: Final = 22
# The bank's own entries count from here, far from the numbers that customers' files begin with.
_FIRST_TRACE: Final = 5_000_000
_NAMELESS: Final = "RECEIVER"


def send(connection: Connection, payment: Row) -> int:
    """Make the entry that carries a payment; return its row."""
    account = accounts.require(connection, payment["account_id"])
    odfi = account["routing_number"][:8]
    batch_id = connection.execute(
        "INSERT INTO ach_batch (file_id, batch_number, account_id, company_name,"
        " company_discretionary_data, company_identification, sec_code, entry_description,"
        " effective_on, odfi_identification, settles_at)"
        " VALUES (NULL, 1, ?, ?, '', ?, ?, ?, ?, ?, ?)",
        (
            account["id"],
            books.statement_text(account["name"])[:16].strip(),
            payment["company_identification"],
            payment["sec_code"],
            payment["entry_description"],
            business_date(clock.from_text(payment["settles_at"])).isoformat(),
            odfi,
            payment["settles_at"],
        ),
    ).lastrowid
    number = int(payment["id"].split("-")[1]) % _FIRST_TRACE
    entry_id = connection.execute(
        "INSERT INTO ach_entry (batch_id, direction, transaction_code, routing_number,"
        " account_number, amount_cents, identification, name, trace_number, status)"
        " VALUES (?, 'credit', ?, ?, ?, ?, ?, ?, ?, 'received')",
        (
            batch_id,
            TRANSACTION_CODES[payment["counterparty_account_type"]],
            payment["counterparty_routing"],
            payment["counterparty_account"],
            payment["amount_cents"],
            payment["client_reference"][:LONGEST_IDENTIFICATION],
            books.statement_text(payment["counterparty_name"])[:LONGEST_NAME].strip() or _NAMELESS,
            f"{odfi}{_FIRST_TRACE + number:07d}",
        ),
    ).lastrowid
    assert entry_id is not None, "a row that was inserted has an id"
    _take_orders(connection, payment["id"], entry_id)
    return entry_id


def _take_orders(connection: Connection, payment_id: str, entry_id: int) -> None:
    """Give the entry what a test ordered for its payment before there was an entry."""
    connection.execute(
        "INSERT INTO ach_return (entry_id, code) SELECT ?, code FROM ordered_ahead"
        " WHERE payment_id = ? AND kind = 'return'",
        (entry_id, payment_id),
    )
    connection.execute(
        "INSERT INTO ach_change (entry_id, code, corrected_data) SELECT ?, code, data"
        " FROM ordered_ahead WHERE payment_id = ? AND kind = 'change'",
        (entry_id, payment_id),
    )


def settle(connection: Connection, payment: Row) -> int:
    """Move the money of a payment that was sent; return the row of its statement line."""
    entry = achentries.entry(connection, payment["entry_id"])
    line = books.enter(
        connection,
        "ach",
        Movement(
            account_id=payment["account_id"],
            direction="debit",
            amount_cents=payment["amount_cents"],
            contra=books.ACH_NETWORK,
            type_code=settlement.TOTAL_CODES["debit"],
            customer_reference=payment["client_reference"],
            text_lines=(
                f"ACH CREDIT {payment['counterparty_name']}",
                f"TRACE={entry['trace_number']}",
                f"PAYMENT={payment['id']}",
            ),
        ),
    )
    settlement.conclude(connection, [entry])
    return line.line_id
