"""Proof of what the sandbox bank was made to pay: how often for each reference, and in all."""

from __future__ import annotations

from seedtrust.sandbox.store import Connection


def proof(connection: Connection) -> dict[str, object]:
    """Return how often each reference was paid, the totals of each account, and what is wrong.

    A payment that was stopped before it was sent does not count as made. ``wrong_payments`` are
    those that are not on exactly one statement line with their amount once they settled, or on
    one before.
    """
    payments = _counts(
        connection,
        "SELECT client_reference AS reference, count(*) AS made FROM payment"
        " WHERE status NOT IN ('rejected', 'cancelled') GROUP BY client_reference",
    )
    entries = _counts(
        connection,
        "SELECT e.identification AS reference, count(*) AS made FROM ach_entry e"
        " JOIN ach_batch b ON b.id = e.batch_id JOIN ach_file f ON f.id = b.file_id"
        " WHERE f.status IN ('accepted', 'settled') GROUP BY e.identification",
    )
    by_status = connection.execute("SELECT status, count(*) AS n FROM payment GROUP BY status")
    wrong = _wrong(connection)
    return {
        "payments": payments | {"by_status": {row["status"]: row["n"] for row in by_status}},
        "entries": entries,
        "payment_totals": _totals(connection),
        "wrong_payments": wrong,
    }


def _counts(connection: Connection, query: str) -> dict[str, object]:
    made = {row["reference"]: row["made"] for row in connection.execute(query)}
    doubled = {reference: times for reference, times in made.items() if times > 1}
    return {"made": made, "doubled": doubled}


def _totals(connection: Connection) -> list[dict[str, object]]:
    rows = connection.execute(
        "SELECT account_id, count(*) AS made, sum(amount_cents) AS made_cents,"
        " sum(CASE WHEN status IN ('accepted', 'in_review', 'sent') THEN amount_cents ELSE 0 END)"
        " AS open_cents,"
        " sum(CASE WHEN status = 'settled' THEN amount_cents ELSE 0 END) AS settled_cents,"
        " sum(CASE WHEN status = 'returned' THEN amount_cents ELSE 0 END) AS returned_cents"
        " FROM payment WHERE status NOT IN ('rejected', 'cancelled')"
        " GROUP BY account_id ORDER BY account_id"
    ).fetchall()
    return [dict(row) for row in rows]


def _wrong(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT p.id FROM payment p LEFT JOIN line l ON l.id = p.line_id"
        " WHERE (p.status IN ('settled', 'returned')) <> (l.id IS NOT NULL)"
        " OR l.amount_cents <> p.amount_cents OR l.account_id <> p.account_id"
        " OR l.direction <> 'debit'"
        " UNION ALL SELECT p.id FROM payment p LEFT JOIN ach_return r ON r.entry_id = p.entry_id"
        " LEFT JOIN line l ON l.id = r.line_id"
        " WHERE (p.status = 'returned') <> (l.id IS NOT NULL) OR l.amount_cents <> p.amount_cents"
    ).fetchall()
    return [row["id"] for row in rows]
