"""The sandbox bank's event log: what changed, in order, for those who ask after a cursor."""

from __future__ import annotations

import json
from typing import Final

from seedtrust.core.clock import business_date
from seedtrust.sandbox import clock
from seedtrust.sandbox.store import Connection, Row

TYPES: Final = frozenset(
    {
        "file.received",
        "file.awaiting_totals",
        "file.suspended",
        "file.accepted",
        "file.rejected",
        "file.settled",
        "entry.returned",
        "entry.corrected",
        "payment.accepted",
        "payment.in_review",
        "payment.sent",
        "payment.settled",
        "payment.rejected",
        "payment.cancelled",
        "payment.returned",
        "payment.corrected",
        "wire.received",
        "deposit.received",
        "deposit.returned",
        "statement.available",
    }
)
MAX_PAGE: Final = 500


def record(connection: Connection, kind: str, data: dict[str, object]) -> None:
    """Write an event at the bank's business time, to be brought to every subscriber."""
    assert kind in TYPES, f"there is no event type {kind}"
    event_id = connection.execute(
        "INSERT INTO event (at, type, data) VALUES (?, ?, ?)",
        (clock.to_text(clock.now(connection)), kind, json.dumps(data)),
    ).lastrowid
    connection.execute(
        "INSERT INTO webhook_delivery (subscription_number, event_id, position, state, attempts,"
        " next_at) SELECT number, ?, ?, 'pending', 0, ? FROM webhook_subscription"
        " WHERE is_ended = 0 ORDER BY number",
        (event_id, event_id, clock.EARLIEST),
    )


def after(connection: Connection, cursor: int, limit: int) -> dict[str, object]:
    """Return the page of events after a cursor; the last id is the cursor of the next page."""
    rows = connection.execute(
        "SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?", (cursor, limit + 1)
    ).fetchall()
    page = rows[:limit]
    return {
        "data": [_as_json(row) for row in page],
        "next_cursor": page[-1]["id"] if page else cursor,
        "has_more": len(rows) > limit,
    }


def _as_json(row: Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "type": row["type"],
        "at": clock.shown(row["at"]),
        "business_on": business_date(clock.from_text(row["at"])).isoformat(),
        "data": json.loads(row["data"]),
    }
