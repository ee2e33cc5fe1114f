"""The sandbox bank's business clock, its hours and what is due when."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from seedtrust.core.bankdays import (
    is_banking_day,
    next_banking_day,
    on_or_after,
    previous_banking_day,
)
from seedtrust.core.clock import at_new_york, business_date
from seedtrust.sandbox.store import Connection, Row

STATEMENT_TIME: Final = (6, 0)
WIRE_OPENING: Final = (8, 0)
ACH_SETTLEMENT: Final = (8, 30)
ACH_SENDING: Final = (20, 0)
WIRE_CUTOFF: Final = (18, 15)
SAME_DAY_WINDOWS: Final = (((10, 30), (13, 0)), ((14, 45), (17, 0)))
RETURN_BANKING_DAYS: Final = 2
# A stored instant before all others.
EARLIEST: Final = "2000-01-01T00:00:00.000000Z"


def to_text(instant: datetime) -> str:
    """Return an instant as it is stored: UTC, of fixed width, so that text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """Return a stored instant."""
    return datetime.fromisoformat(text)


def shown(text: str | None) -> str | None:
    """Return a stored instant as replies show it, RFC 3339 in UTC."""
    return None if text is None else from_text(text).isoformat().replace("+00:00", "Z")


def now(connection: Connection) -> datetime:
    """Return the bank's business time."""
    row = connection.execute("SELECT now_at FROM clock").fetchone()
    return from_text(row["now_at"])


def today(connection: Connection) -> date:
    """Return the bank's calendar date in New York."""
    return business_date(now(connection))


def set_now(connection: Connection, instant: datetime) -> None:
    """Put the clock forward; it never goes back."""
    connection.execute(
        "UPDATE clock SET now_at = max(now_at, ?), has_moved = 1", (to_text(instant),)
    )


def schedule(connection: Connection, due_at: datetime, kind: str, subject: str) -> None:
    """Put something on the agenda, once."""
    connection.execute(
        "INSERT OR IGNORE INTO agenda (due_at, kind, subject) VALUES (?, ?, ?)",
        (to_text(due_at), kind, subject),
    )


def next_due(connection: Connection, until: datetime) -> Row | None:
    """Return the earliest item of the agenda that is due by an instant."""
    row: Row | None = connection.execute(
        "SELECT * FROM agenda WHERE due_at <= ? ORDER BY due_at, id LIMIT 1", (to_text(until),)
    ).fetchone()
    return row


def wire_moment(instant: datetime, wanted_on: date | None = None) -> datetime:
    """Return when a wire handed in at an instant moves: at once, or at an opening.

    Wires move on banking days until 18:15 New York time; others wait for the next banking
    day's opening, and one wanted on a later day for that day's.
    """
    day = business_date(instant)
    if wanted_on is not None and wanted_on > day:
        return at_new_york(on_or_after(wanted_on), *WIRE_OPENING)
    if is_banking_day(day) and instant < at_new_york(day, *WIRE_CUTOFF):
        return instant
    return at_new_york(next_banking_day(day), *WIRE_OPENING)


def settlement_moment(accepted_at: datetime, effective_on: date, *, same_day: bool) -> datetime:
    """Return when a batch settles: 08:30 on its effective date, or in a same-day window.

    A batch for today that has missed the windows, or may not use them, goes with the next
    banking day's settlement.
    """
    day = business_date(accepted_at)
    if effective_on > day:
        return at_new_york(effective_on, *ACH_SETTLEMENT)
    if same_day:
        for cutoff, settles in SAME_DAY_WINDOWS:
            if accepted_at < at_new_york(day, *cutoff):
                return at_new_york(day, *settles)
    return at_new_york(next_banking_day(day), *ACH_SETTLEMENT)


def sending_moment(accepted_at: datetime, settles_at: datetime) -> datetime:
    """Return when the bank sends what settles at an instant; until then it can be cancelled.

    Same-day settlement is sent at the cut-off of its window, that of a morning at 20:00 of the
    banking day before; what comes later than that goes at once.
    """
    day = business_date(settles_at)
    sends_at = at_new_york(previous_banking_day(day), *ACH_SENDING)
    for cutoff, settles in SAME_DAY_WINDOWS:
        if settles_at == at_new_york(day, *settles):
            sends_at = at_new_york(day, *cutoff)
    return max(accepted_at, sends_at)
