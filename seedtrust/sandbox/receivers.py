"""What the banks of receivers make of an entry: they keep it, send it back or correct it.

The last digits of an account number choose, because the amounts of an escrow must stay free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from seedtrust.formats import nacha
from seedtrust.sandbox.store import Connection, Row

ACCOUNT_CLOSED: Final = "R02"
_RETURN_ENDING: Final = "99"
_CHANGE_ENDING: Final = "985"
_ENDING_LENGTH: Final = 4
# Where accounts and banks moved to; an entry that goes there already is not corrected again.
_MOVED_TO: Final = "40"
_NEW_BANK: Final = "011000015"
_SAVINGS: Final = 10


@dataclass(frozen=True, slots=True)
class Change:
    """A notification of change: the code and the corrected data as the addenda carries it."""

    code: str
    corrected_data: str


def close(
    connection: Connection, routing_number: str, account_number: str, closed_on: date
) -> None:
    """Close an account at another bank: entries that settle from that day on come back R02."""
    connection.execute(
        "INSERT INTO closed_counterparty (routing_number, account_number, closed_on)"
        " VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET closed_on = excluded.closed_on",
        (routing_number, account_number, closed_on.isoformat()),
    )


def return_code(connection: Connection, entry: Row, settled_on: date) -> str | None:
    """Return the code with which an entry that settled on a day is sent back, or None."""
    closed = connection.execute(
        "SELECT 1 FROM closed_counterparty WHERE routing_number = ? AND account_number = ?"
        " AND closed_on <= ?",
        (entry["routing_number"], entry["account_number"], settled_on.isoformat()),
    ).fetchone()
    if closed is not None:
        return ACCOUNT_CLOSED
    ending = entry["account_number"][-_ENDING_LENGTH:]
    code = f"R{ending[2:]}"
    is_code = ending.startswith(_RETURN_ENDING) and can_return(code)
    return code if is_code else None


def can_return(code: str) -> bool:
    """Tell whether a receiver's bank sends entries back with a code."""
    reason = nacha.RETURN_CODES.get(code)
    return reason is not None and not reason.is_bank_to_bank


def is_late(code: str) -> bool:
    """Tell whether a return may come up to 60 calendar days after settlement."""
    return nacha.RETURN_CODES[code].deadline is nacha.Deadline.SIXTY_DAYS


def can_change(code: str) -> bool:
    """Tell whether a receiver's bank sends a notification of change with a code."""
    row = nacha.CHANGE_CODES.get(code)
    return row is not None and not row.is_bank_to_bank


def change(entry: Row) -> Change | None:
    """Return the notification of change that an entry calls forth, or None."""
    account_number = entry["account_number"]
    ending = account_number[-_ENDING_LENGTH:]
    code = f"C0{ending[3:]}"
    if not ending.startswith(_CHANGE_ENDING) or code not in {"C01", "C02", "C03", "C05"}:
        return None
    values = {
        "account_number": f"{account_number[:-_ENDING_LENGTH]}{_MOVED_TO}{ending[2:]}",
        "routing_number": _NEW_BANK,
        "transaction_code": f"{entry['transaction_code'] + _SAVINGS}",
    }
    is_done = (code == "C02" and entry["routing_number"] == _NEW_BANK) or (
        code == "C05" and entry["transaction_code"] // 10 == 3  # noqa: PLR2004 - codes of savings
    )
    if is_done:
        return None
    wanted = {name: values[name] for name in nacha.CHANGE_CODES[code].corrects}
    return Change(code, nacha.corrected_data(code, **wanted))
