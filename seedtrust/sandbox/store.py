"""The sandbox bank's own database: one SQLite file, one unit of work at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

Connection = sqlite3.Connection
Row = sqlite3.Row

SCHEMA_VERSION: Final = 8
BUSY_SECONDS: Final = 30

_SCHEMA: Final = """
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    now_at TEXT NOT NULL,
    has_moved INTEGER NOT NULL
) STRICT;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE agenda (
    id INTEGER PRIMARY KEY,
    due_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    UNIQUE (kind, subject, due_at)
) STRICT;
CREATE INDEX ix_agenda_due ON agenda (due_at, id);
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    routing_number TEXT NOT NULL,
    account_number TEXT NOT NULL,
    opening_cents INTEGER NOT NULL CHECK (opening_cents >= 0),
    opened_on TEXT NOT NULL,
    UNIQUE (routing_number, account_number)
) STRICT;
-- Running totals of what the books and the promises say, so that a payment need not add them up.
CREATE TABLE position (
    account_id TEXT PRIMARY KEY REFERENCES account (id),
    ledger_cents INTEGER NOT NULL,
    reserved_cents INTEGER NOT NULL CHECK (reserved_cents >= 0)
) STRICT;
CREATE TABLE company (
    identification TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id)
) STRICT;
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    business_on TEXT NOT NULL,
    posted_at TEXT NOT NULL,
    kind TEXT NOT NULL
) STRICT;
-- Debits are positive and credits negative: the postings of a journal add up to zero.
CREATE TABLE posting (
    id INTEGER PRIMARY KEY,
    journal_id INTEGER NOT NULL REFERENCES journal (id),
    book TEXT NOT NULL,
    business_on TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0)
) STRICT;
CREATE INDEX ix_posting_book ON posting (book, business_on, amount_cents);
CREATE INDEX ix_posting_journal ON posting (journal_id, amount_cents);
CREATE TABLE line (
    id INTEGER PRIMARY KEY,
    journal_id INTEGER NOT NULL UNIQUE REFERENCES journal (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    business_on TEXT NOT NULL,
    type_code TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('credit', 'debit')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    bank_reference TEXT NOT NULL UNIQUE,
    customer_reference TEXT NOT NULL,
    text_lines TEXT NOT NULL
) STRICT;
CREATE INDEX ix_line_account ON line (account_id, business_on, id);
CREATE TABLE payment (
    id TEXT PRIMARY KEY,
    client_reference TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    rail TEXT NOT NULL CHECK (rail IN ('ach', 'wire')),
    account_id TEXT NOT NULL REFERENCES account (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    counterparty_name TEXT NOT NULL,
    counterparty_routing TEXT NOT NULL,
    counterparty_account TEXT NOT NULL,
    counterparty_account_type TEXT NOT NULL,
    counterparty_party_kind TEXT NOT NULL,
    memo TEXT NOT NULL,
    requested_on TEXT NOT NULL,
    sec_code TEXT NOT NULL,
    entry_description TEXT NOT NULL,
    company_identification TEXT NOT NULL,
    status TEXT NOT NULL CHECK (
        status IN (
            'accepted', 'in_review', 'sent', 'settled', 'returned', 'rejected', 'cancelled'
        )
    ),
    status_reason TEXT NOT NULL,
    received_at TEXT NOT NULL,
    received_really_at TEXT NOT NULL,
    sends_at TEXT NOT NULL,
    sent_at TEXT,
    settles_at TEXT NOT NULL,
    settled_at TEXT,
    imad TEXT,
    entry_id INTEGER UNIQUE REFERENCES ach_entry (id),
    line_id INTEGER UNIQUE REFERENCES line (id)
) STRICT;
CREATE INDEX ix_payment_client_reference ON payment (client_reference);
CREATE TABLE inbound_wire (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT UNIQUE,
    request_hash TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    sender_name TEXT NOT NULL,
    text TEXT NOT NULL,
    reference TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'received')),
    posts_at TEXT NOT NULL,
    imad TEXT,
    line_id INTEGER UNIQUE REFERENCES line (id)
) STRICT;
CREATE TABLE check_deposit (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT UNIQUE,
    request_hash TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    sender_name TEXT NOT NULL,
    text TEXT NOT NULL,
    reference TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'received', 'returned')),
    posts_at TEXT NOT NULL,
    line_id INTEGER UNIQUE REFERENCES line (id),
    return_reason TEXT,
    return_due_at TEXT,
    return_line_id INTEGER UNIQUE REFERENCES line (id)
) STRICT;
CREATE TABLE issued_check (
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    number INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    payee TEXT NOT NULL,
    issued_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('issued', 'held', 'void', 'paid')),
    line_id INTEGER UNIQUE REFERENCES line (id),
    UNIQUE (account_id, number)
) STRICT;
CREATE TABLE ach_file (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    client_reference TEXT NOT NULL,
    status TEXT NOT NULL CHECK (
        status IN ('awaiting_totals', 'suspended', 'accepted', 'rejected', 'settled')
    ),
    received_at TEXT NOT NULL,
    accepted_at TEXT,
    settled_at TEXT,
    origin TEXT NOT NULL,
    created_on TEXT NOT NULL,
    modifier TEXT NOT NULL,
    totals TEXT NOT NULL,
    given_totals TEXT NOT NULL,
    faults TEXT NOT NULL,
    UNIQUE (name, sha256)
) STRICT;
CREATE INDEX ix_ach_file_sha256 ON ach_file (sha256);
CREATE INDEX ix_ach_file_client_reference ON ach_file (client_reference);
CREATE TABLE ach_batch (
    id INTEGER PRIMARY KEY,
    -- A payment over the API travels in a batch of the bank's own, without a file.
    file_id INTEGER REFERENCES ach_file (id),
    batch_number INTEGER NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    company_name TEXT NOT NULL,
    company_discretionary_data TEXT NOT NULL,
    company_identification TEXT NOT NULL,
    sec_code TEXT NOT NULL,
    entry_description TEXT NOT NULL,
    effective_on TEXT NOT NULL,
    odfi_identification TEXT NOT NULL,
    settles_at TEXT
) STRICT;
CREATE INDEX ix_ach_batch_file ON ach_batch (file_id);
CREATE TABLE ach_entry (
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL REFERENCES ach_batch (id),
    direction TEXT NOT NULL CHECK (direction IN ('credit', 'debit')),
    transaction_code INTEGER NOT NULL,
    routing_number TEXT NOT NULL,
    account_number TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
    identification TEXT NOT NULL,
    name TEXT NOT NULL,
    trace_number TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('received', 'settled', 'returned'))
) STRICT;
CREATE INDEX ix_ach_entry_batch ON ach_entry (batch_id);
CREATE INDEX ix_ach_entry_trace ON ach_entry (trace_number);
CREATE TABLE ach_return (
    entry_id INTEGER PRIMARY KEY REFERENCES ach_entry (id),
    code TEXT NOT NULL,
    due_at TEXT,
    trace_number TEXT,
    file_name TEXT,
    line_id INTEGER UNIQUE REFERENCES line (id)
) STRICT;
CREATE INDEX ix_ach_return_due ON ach_return (due_at);
CREATE TABLE ach_change (
    entry_id INTEGER NOT NULL REFERENCES ach_entry (id),
    code TEXT NOT NULL,
    corrected_data TEXT NOT NULL,
    due_at TEXT,
    trace_number TEXT,
    file_name TEXT,
    PRIMARY KEY (entry_id, code)
) STRICT;
CREATE INDEX ix_ach_change_due ON ach_change (due_at);
-- Returns and changes that were ordered for a payment before it was sent and had an entry.
CREATE TABLE ordered_ahead (
    payment_id TEXT NOT NULL REFERENCES payment (id),
    kind TEXT NOT NULL CHECK (kind IN ('return', 'change')),
    code TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (payment_id, kind)
) STRICT;
CREATE TABLE closed_counterparty (
    routing_number TEXT NOT NULL,
    account_number TEXT NOT NULL,
    closed_on TEXT NOT NULL,
    PRIMARY KEY (routing_number, account_number)
) STRICT;
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    as_of_on TEXT NOT NULL,
    closing_cents INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (account_id, as_of_on)
) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE TABLE webhook_subscription (
    number INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT NOT NULL,
    old_until TEXT NOT NULL,
    created_at TEXT NOT NULL,
    is_ended INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Times are real ones: subscribers wait in real time.
CREATE TABLE webhook_delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription_number INTEGER NOT NULL REFERENCES webhook_subscription (number),
    event_id INTEGER NOT NULL REFERENCES event (id),
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dropped')),
    attempts INTEGER NOT NULL,
    next_at TEXT NOT NULL,
    last_status INTEGER
) STRICT;
CREATE INDEX ix_webhook_delivery_due ON webhook_delivery (state, position, id);
CREATE INDEX ix_webhook_delivery_next ON webhook_delivery (state, next_at);
CREATE TABLE webhook_trick (name TEXT PRIMARY KEY, remaining INTEGER NOT NULL) STRICT;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    client_reference TEXT NOT NULL,
    account_suffix TEXT NOT NULL,
    effect TEXT NOT NULL,
    nth INTEGER NOT NULL,
    times INTEGER NOT NULL,
    seconds REAL NOT NULL,
    seen INTEGER NOT NULL,
    fired INTEGER NOT NULL
) STRICT;
CREATE TABLE fault_by_ending (
    client_reference TEXT NOT NULL,
    ending TEXT NOT NULL,
    fired INTEGER NOT NULL,
    PRIMARY KEY (client_reference, ending)
) STRICT;
CREATE TABLE outbox (
    name TEXT PRIMARY KEY,
    content BLOB NOT NULL,
    is_written INTEGER NOT NULL
) STRICT;
"""

_IMMUTABLE: Final = ("journal", "posting", "line", "statement", "event")


class Store:
    """One connection, used by one unit of work at a time; a kill leaves the last commit."""

    def __init__(self, path: Path) -> None:
        """Open the file and lay the schema; raise RuntimeError if another version made it."""
        self._lock = threading.RLock()
        self.after_commit: Callable[[], None] | None = None
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        with self.unit() as connection:
            self._lay_schema(connection, path)

    def _lay_schema(self, connection: Connection, path: Path) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version != 0:
            message = f"{path} was made by another version of the sandbox bank. Use a new folder."
            raise RuntimeError(message)
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        for table in _IMMUTABLE:
            for verb in ("UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER no_{verb.lower()}_{table} BEFORE {verb} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{table} rows never change'); END"
                )
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def unit(self) -> Iterator[Connection]:
        """Run one unit of work: everything inside commits together, or nothing does."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            if self.after_commit is not None:
                self.after_commit()

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()
