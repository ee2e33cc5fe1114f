"""ACH entries of the sandbox bank, from files and from payments over the API alike."""

from __future__ import annotations

from datetime import date
from typing import Final

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.clock import business_date
from seedtrust.sandbox import books, clock
from seedtrust.sandbox.achcheck import file_id_text
from seedtrust.sandbox.books import Entered, Movement
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row

# An entry with what its batch says; `reference` is that of the payment which it carries.
COLUMNS: Final = (
    "e.*, b.file_id, b.account_id, b.company_name, b.company_discretionary_data,"
    " b.company_identification, b.sec_code, b.entry_description, b.odfi_identification,"
    " b.settles_at, p.client_reference AS reference"
)
SOURCES: Final = (
    "ach_entry e JOIN ach_batch b ON b.id = e.batch_id"
    " LEFT JOIN ach_file f ON f.id = b.file_id LEFT JOIN payment p ON p.entry_id = e.id"
)
ENTRIES: Final = f"SELECT {COLUMNS} FROM {SOURCES}"  # noqa: S608 - constants of this module
_SEVEN_DIGITS: Final = 10_000_000


def entry(connection: Connection, entry_id: int) -> Row:
    """Return an entry with what its batch says."""
    row: Row = connection.execute(ENTRIES + " WHERE e.id = ?", (entry_id,)).fetchone()
    return row


def require_trace(connection: Connection, trace_number: str) -> Row:
    """Return the accepted entry with a trace number, the latest; raise BankProblem 404 if none."""
    row: Row | None = connection.execute(
        ENTRIES + " WHERE e.trace_number = ?"
        " AND (f.id IS NULL OR f.status IN ('accepted', 'settled')) ORDER BY e.id DESC LIMIT 1",
        (trace_number,),
    ).fetchone()
    if row is None:
        raise BankProblem("not_found", f"No accepted entry has the trace number {trace_number}.")
    return row


def enter(connection: Connection, movement: Movement) -> Entered | None:
    """Post a movement; prenotes move nothing and leave no line."""
    if movement.amount_cents == 0:
        return None
    return books.enter(connection, "ach", movement)


def settled_on(row: Row) -> date:
    """Return the banking day on which an entry settles."""
    return business_date(clock.from_text(row["settles_at"]))


def answer_day(row: Row) -> date:
    """Return the day by whose opening a receiver's bank answers: the second after settlement."""
    return add_banking_days(settled_on(row), clock.RETURN_BANKING_DAYS)


def answer_trace(row: Row, *, first: int = 0) -> str:
    """Return the trace number that the receiver's bank gives to its answer to an entry."""
    return f"{row['routing_number'][:8]}{(row['id'] + first) % _SEVEN_DIGITS:07d}"


def facts(connection: Connection, row: Row) -> dict[str, object]:
    """Return what events say of an entry of a file."""
    file = connection.execute(
        "SELECT client_reference FROM ach_file WHERE id = ?", (row["file_id"],)
    ).fetchone()
    return {
        "file_id": file_id_text(row["file_id"]),
        "client_reference": file["client_reference"],
        "account_id": row["account_id"],
        "trace_number": row["trace_number"],
        "identification": row["identification"],
        "name": row["name"],
        "direction": row["direction"],
        "amount_cents": row["amount_cents"],
        "settled_on": settled_on(row).isoformat(),
    }
