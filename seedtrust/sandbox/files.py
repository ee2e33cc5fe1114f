"""The life of a NACHA file at the sandbox bank: received, confirmed by totals, accepted."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

from seedtrust.core.clock import business_date
from seedtrust.formats import nacha
from seedtrust.sandbox import accounts, achcheck, books, clock, events
from seedtrust.sandbox.achcheck import BankFault, Candidate, Totals, file_id_text
from seedtrust.sandbox.problems import CLIENT_REFERENCE, SHA256, BankProblem, Values
from seedtrust.sandbox.store import Connection, Row

SETTLEMENT_DUE = "ach_settlement"
_OPEN = frozenset({"awaiting_totals", "suspended"})


def parse_totals(body: object) -> tuple[str, str, Totals]:
    """Check control totals and return the file's hash (may be empty), reference and totals."""
    values = Values(body)
    sha256 = values.text("sha256", longest=64, pattern=SHA256, is_required=False)
    client_reference = values.text("client_reference", longest=32, pattern=CLIENT_REFERENCE)
    totals = Totals(
        batch_count=values.count("batch_count"),
        entry_addenda_count=values.count("entry_addenda_count"),
        entry_hash=values.count("entry_hash"),
        debit_cents=values.count("debit_cents"),
        credit_cents=values.count("credit_cents"),
    )
    values.done()
    return sha256, client_reference, totals


def is_known(connection: Connection, name: str, sha256: str) -> bool:
    """Tell whether this very file has been taken in; doing it again would change nothing."""
    query = "SELECT 1 FROM ach_file WHERE name = ? AND sha256 = ?"
    return connection.execute(query, (name, sha256)).fetchone() is not None


def take_in(connection: Connection, candidate: Candidate) -> Row:
    """Record a file from the drop folder: rejected with its faults, or waiting for its totals."""
    faults = list(candidate.faults)
    if not faults:
        faults = achcheck.duplicate_faults(connection, candidate)
        faults += achcheck.entry_faults(connection, candidate)
    file_id = connection.execute(
        "INSERT INTO ach_file (name, sha256, client_reference, status, received_at, origin,"
        " created_on, modifier, totals, given_totals, faults)"
        " VALUES (?, ?, '', 'awaiting_totals', ?, ?, ?, ?, ?, '', '[]')",
        (
            candidate.name,
            candidate.sha256,
            clock.to_text(clock.now(connection)),
            candidate.origin,
            candidate.created_on,
            candidate.modifier,
            json.dumps(asdict(candidate.totals)),
        ),
    ).lastrowid
    assert file_id is not None, "a row that was inserted has an id"
    row = require(connection, file_id)
    events.record(connection, "file.received", as_json(connection, row))
    if faults:
        _decide(connection, row, "rejected", faults)
    else:
        for batch in candidate.batches:
            _add_batch(connection, row["id"], batch)
        events.record(connection, "file.awaiting_totals", as_json(connection, row))
    return require(connection, row["id"])


def _add_batch(connection: Connection, file_id: int, batch: nacha.ParsedBatch) -> None:
    header = batch.header
    account = accounts.by_company(connection, header.company_identification)
    effective_on = header.effective_on
    assert account is not None, "the company was checked before"
    assert effective_on is not None, "the date was checked before"
    batch_id = connection.execute(
        "INSERT INTO ach_batch (file_id, batch_number, account_id, company_name,"
        " company_discretionary_data, company_identification, sec_code, entry_description,"
        " effective_on, odfi_identification) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            file_id,
            header.batch_number,
            account["id"],
            header.company_name,
            header.company_discretionary_data.strip(),
            header.company_identification,
            header.sec_code,
            header.entry_description,
            effective_on.isoformat(),
            header.odfi_identification,
        ),
    ).lastrowid
    connection.executemany(
        "INSERT INTO ach_entry (batch_id, direction, transaction_code, routing_number,"
        " account_number, amount_cents, identification, name, trace_number, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'received')",
        (
            (
                batch_id,
                "debit" if entry.is_debit else "credit",
                entry.transaction_code,
                entry.routing_number,
                entry.account_number,
                entry.amount_cents,
                entry.identification.strip(),
                entry.name.strip(),
                entry.trace_number,
            )
            for entry in batch.entries
        ),
    )


def confirm(
    connection: Connection, row: Row, client_reference: str, sha256: str, totals: Totals
) -> Row:
    """Compare a file with the totals that its sender gives: accepted, rejected or suspended.

    The same totals for a file that is decided change nothing; other ones raise BankProblem.
    """
    given = json.dumps(asdict(totals) | {"client_reference": client_reference})
    if row["given_totals"] == given and row["status"] != "awaiting_totals":
        return row
    if row["status"] not in _OPEN:
        message = f"The file is {row['status']}; its totals cannot be given any more."
        raise BankProblem("wrong_state", message, file_status=row["status"])
    connection.execute("UPDATE ach_file SET given_totals = ? WHERE id = ?", (given, row["id"]))
    mismatches = _mismatches(connection, row, client_reference, sha256, totals)
    if mismatches:
        _decide(connection, row, "suspended", mismatches)
        return require(connection, row["id"])
    connection.execute(
        "UPDATE ach_file SET client_reference = ? WHERE id = ?", (client_reference, row["id"])
    )
    faults = _acceptance_faults(connection, row["id"])
    if faults:
        _decide(connection, row, "rejected", faults)
    else:
        _accept(connection, row)
    return require(connection, row["id"])


def _mismatches(
    connection: Connection, row: Row, client_reference: str, sha256: str, totals: Totals
) -> list[BankFault]:
    found = json.loads(row["totals"])
    faults = [
        achcheck.whole_file(
            field, "totals-mismatch", f"The totals say {value}, the file says {found[field]}."
        )
        for field, value in asdict(totals).items()
        if value != found[field]
    ]
    if sha256 and sha256 != row["sha256"]:
        message = "The hash is not that of the file."
        faults.append(achcheck.whole_file("sha256", "totals-mismatch", message))
    other = connection.execute(
        "SELECT id FROM ach_file WHERE client_reference = ? AND id <> ? AND status <> 'rejected'",
        (client_reference, row["id"]),
    ).fetchone()
    if other is not None:
        message = f"The reference belongs to file {file_id_text(other['id'])}."
        faults.append(achcheck.whole_file("client_reference", "reference-reused", message))
    return faults


def _acceptance_faults(connection: Connection, file_id: int) -> list[BankFault]:
    """Check again what may have changed while a file waited, and that it is covered."""
    today = clock.today(connection)
    faults: list[BankFault] = []
    needed: dict[str, int] = {}
    for batch in _batches(connection, file_id):
        faults.extend(achcheck.date_faults(0, date.fromisoformat(batch["effective_on"]), today))
        cents = connection.execute(
            "SELECT coalesce(sum(amount_cents), 0) AS cents FROM ach_entry"
            " WHERE batch_id = ? AND direction = 'credit'",
            (batch["id"],),
        ).fetchone()["cents"]
        needed[batch["account_id"]] = needed.get(batch["account_id"], 0) + cents
    return faults or achcheck.funds_faults(connection, needed)


def _batches(connection: Connection, file_id: int) -> list[Row]:
    return connection.execute(
        "SELECT * FROM ach_batch WHERE file_id = ? ORDER BY id", (file_id,)
    ).fetchall()


def _accept(connection: Connection, row: Row) -> None:
    """Fix when each batch settles and put it on the agenda."""
    now = clock.now(connection)
    for batch in _batches(connection, row["id"]):
        sums = connection.execute(
            "SELECT coalesce(max(amount_cents), 0) AS highest,"
            " coalesce(sum(CASE direction WHEN 'credit' THEN amount_cents END), 0) AS credits"
            " FROM ach_entry WHERE batch_id = ?",
            (batch["id"],),
        ).fetchone()
        books.reserve(connection, batch["account_id"], sums["credits"])
        settles_at = clock.settlement_moment(
            now,
            date.fromisoformat(batch["effective_on"]),
            same_day=sums["highest"] <= achcheck.SAME_DAY_LIMIT_CENTS,
        )
        connection.execute(
            "UPDATE ach_batch SET settles_at = ? WHERE id = ?",
            (clock.to_text(settles_at), batch["id"]),
        )
        clock.schedule(connection, settles_at, SETTLEMENT_DUE, str(row["id"]))
    connection.execute(
        "UPDATE ach_file SET accepted_at = ? WHERE id = ?", (clock.to_text(now), row["id"])
    )
    _decide(connection, row, "accepted", [])


def _decide(connection: Connection, row: Row, status: str, faults: list[BankFault]) -> None:
    """Give a file its status and tell its sender, by event and by acknowledgement."""
    faults_text = json.dumps(achcheck.faults_as_json(faults))
    connection.execute(
        "UPDATE ach_file SET status = ?, faults = ? WHERE id = ?",
        (status, faults_text, row["id"]),
    )
    decided = as_json(connection, require(connection, row["id"]))
    events.record(connection, f"file.{status}", decided)
    content = json.dumps(decided, indent=2).encode()
    connection.execute(
        "INSERT INTO outbox (name, content, is_written) VALUES (?, ?, 0)"
        " ON CONFLICT (name) DO UPDATE SET content = excluded.content, is_written = 0",
        (_acknowledgement_name(connection, row), content),
    )


def _acknowledgement_name(connection: Connection, row: Row) -> str:
    """Name the acknowledgement after the file; a second file of a name never hides the first's."""
    first = connection.execute(
        "SELECT min(id) AS id FROM ach_file WHERE name = ?", (row["name"],)
    ).fetchone()
    stem = row["name"].removesuffix(".ach")
    is_first = first["id"] == row["id"]
    return f"{stem}.ack.json" if is_first else f"{stem}-{row['sha256'][:8]}.ack.json"


def require(connection: Connection, file_id: int) -> Row:
    """Return a file; raise BankProblem 404 if there is none."""
    row: Row | None = connection.execute(
        "SELECT * FROM ach_file WHERE id = ?", (file_id,)
    ).fetchone()
    if row is None:
        raise BankProblem("not_found", f"There is no file {file_id_text(file_id)}.")
    return row


def require_text(connection: Connection, file_id: str) -> Row:
    """Return a file by the id that replies show; raise BankProblem 404 if there is none."""
    number = file_id.removeprefix("FILE-")
    is_id = file_id.startswith("FILE-") and number.isascii() and number.isdigit()
    if not is_id or len(number) > 12:  # noqa: PLR2004 - far above any file number
        raise BankProblem("not_found", f"There is no file {file_id}.")
    return require(connection, int(number))


def by_sha256(connection: Connection, sha256: str) -> Row | None:
    """Return the file with a hash that may still take totals, or else the one decided last."""
    row: Row | None = connection.execute(
        "SELECT * FROM ach_file WHERE sha256 = ? ORDER BY status = 'rejected', id DESC LIMIT 1",
        (sha256,),
    ).fetchone()
    return row


def search(connection: Connection, sha256: str | None, client_reference: str | None) -> list[Row]:
    """Return the files with a hash and/or a reference, the latest hundred without either."""
    return connection.execute(
        "SELECT * FROM ach_file WHERE (:sha256 IS NULL OR sha256 = :sha256)"
        " AND (:reference IS NULL OR client_reference = :reference) ORDER BY id DESC LIMIT 100",
        {"sha256": sha256, "reference": client_reference},
    ).fetchall()


def as_json(connection: Connection, row: Row) -> dict[str, object]:
    """Return a file as replies, events and acknowledgements show it."""
    return {
        "id": file_id_text(row["id"]),
        "name": row["name"],
        "sha256": row["sha256"],
        "client_reference": row["client_reference"] or None,
        "status": row["status"],
        "received_at": clock.shown(row["received_at"]),
        "accepted_at": clock.shown(row["accepted_at"]),
        "settled_at": clock.shown(row["settled_at"]),
        "totals": json.loads(row["totals"]),
        "faults": json.loads(row["faults"]),
        "settlements": _planned(connection, row["id"]),
    }


def _planned(connection: Connection, file_id: int) -> list[dict[str, object]]:
    """Return what settles when, by account and the reference that the statement will show."""
    rows = connection.execute(
        "SELECT b.account_id, b.settles_at, b.company_discretionary_data AS reference,"
        " e.direction, count(*) AS entries, sum(e.amount_cents) AS cents,"
        " sum(e.status <> 'received') AS settled"
        " FROM ach_batch b JOIN ach_entry e ON e.batch_id = b.id"
        " WHERE b.file_id = ? AND b.settles_at IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4",
        (file_id,),
    ).fetchall()
    return [
        {
            "account_id": row["account_id"],
            "settles_at": clock.shown(row["settles_at"]),
            "settles_on": business_date(clock.from_text(row["settles_at"])).isoformat(),
            "customer_reference": row["reference"],
            "direction": row["direction"],
            "entries": row["entries"],
            "amount_cents": row["cents"],
            "is_settled": row["settled"] == row["entries"],
        }
        for row in rows
    ]
