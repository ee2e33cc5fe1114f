"""The SQL that posting sends, as text built once per shape.

Building SQLAlchemy expressions on every call halves the rate, so the journal sends ready text
through the session's own connection. Only marks and column names vary; values are always bound.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from seedtrust.domain.ledger.posting import Layer, Side

MYSQL_MARK: Final = "%s"
SQLITE_MARK: Final = "?"

COUNTERS: Final = ("dr_posted", "cr_posted", "dr_pending", "cr_pending")

# Read after the balance locks are held, so it rises with seq; the header's posted_at need not.
SERVER_CLOCK: Final = {
    MYSQL_MARK: "UTC_TIMESTAMP(6)",
    SQLITE_MARK: "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
}

# What varies from row to row stands first, so that bulk posting can share the rest.
TXN_COLUMNS: Final = (
    "book_id, id, idem_key, request_hash, source_ref, counterparty_ref, memo, kind, phase, "
    "effective_on, posted_at, actor_id, actor_name, category, source_type"
)
TXN_WIDTH: Final = 15
ENTRY_COLUMNS: Final = (
    "account_id, seq, txn_id, leg, layer, side, amount_cents, posted_after_cents, "
    "pending_after_cents, effective_on, recorded_at"
)

# Which counters of an account move, as bits of COUNTERS, and how many legs it has.
AccountShape = tuple[int, int]
# Layer, side, legs of the account still to come, and whether these move posted and pending: the
# last leg of an account needs no offsets from the balance read back.
LegShape = tuple[Layer, Side, int, bool, bool]


def mark_of(dialect: str) -> str:
    """Return the parameter mark of a dialect's driver."""
    return SQLITE_MARK if dialect == "sqlite" else MYSQL_MARK


@lru_cache(maxsize=8)
def insert_txn(mark: str) -> str:
    """Return the insert of a header, its book read from the account given last."""
    return (
        f"INSERT INTO ledger_txn ({TXN_COLUMNS}) SELECT book_id, {_marks(mark, TXN_WIDTH - 1)} "
        f"FROM ledger_account WHERE id = {mark}"
    )


@lru_cache(maxsize=1024)
def update_balances(mark: str, shape: tuple[AccountShape, ...], *, back: bool = False) -> str:
    """Return the one UPDATE of all balances of a transaction, by primary key.

    One statement locks the rows in key order, so two of them never deadlock. It leaves out closed
    accounts and those of another book than the last parameter's. Parameters: for each counter the
    pairs of account and amount of those accounts that move it, then for seq where accounts differ
    in legs the accounts, then all accounts, then one of them. With `back` it takes a move back.
    """
    sign = "-" if back else "+"
    parts = []
    for bit, column in enumerate(COUNTERS):
        movers = sum(1 for mask, _ in shape if mask >> bit & 1)
        if movers:
            whens = f" WHEN {mark} THEN {mark}" * movers
            parts.append(f"{column} = {column} {sign} CASE account_id{whens} ELSE 0 END")
    counts = [count for _, count in shape]
    if len(set(counts)) == 1:
        parts.append(f"seq = seq {sign} {counts[0]}")
    else:
        whens = "".join(f" WHEN {mark} THEN {count}" for count in counts)
        parts.append(f"seq = seq {sign} CASE account_id{whens} ELSE 0 END")
    return (
        f"UPDATE ledger_balance SET {', '.join(parts)} "
        f"WHERE account_id IN ({_marks(mark, len(shape))}) AND closed = 0 "
        f"AND book_id = (SELECT book_id FROM ledger_account WHERE id = {mark})"
    )


@lru_cache(maxsize=1024)
def insert_entries(mark: str, shape: tuple[LegShape, ...]) -> str:
    """Return the insert of all entries, their balances read from the rows just updated.

    Parameters per leg: txn, amount, what later legs of the account add to posted and to pending
    where they do, effective day, account.
    """
    selects = []
    for leg, (layer, side, later, posted, pending) in enumerate(shape):
        seq = f"seq - {later}" if later else "seq"
        after_posted = "dr_posted - cr_posted" + (f" - {mark}" if posted else "")
        after_pending = "dr_pending - cr_pending" + (f" - {mark}" if pending else "")
        selects.append(
            f"SELECT account_id, {seq}, {mark}, {leg}, {int(layer)}, {int(side)}, {mark}, "
            f"normal_side * ({after_posted}), normal_side * ({after_pending}), {mark}, "
            f"{SERVER_CLOCK[mark]} "
            f"FROM ledger_balance WHERE account_id = {mark}"
        )
    return f"INSERT INTO ledger_entry ({ENTRY_COLUMNS}) {' UNION ALL '.join(selects)}"


@lru_cache(maxsize=8)
def insert_link(mark: str) -> str:
    """Return the insert of a tie to an earlier transaction."""
    columns = "txn_id, relation, target_id, exclusive_key"
    return f"INSERT INTO ledger_txn_link ({columns}) VALUES ({_marks(mark, 4)})"


@lru_cache(maxsize=8)
def find_txn(mark: str) -> str:
    """Return the search of a header by its key, in the book of an account."""
    return (
        f"SELECT id, request_hash FROM ledger_txn WHERE idem_key = {mark} "
        f"AND book_id = (SELECT book_id FROM ledger_account WHERE id = {mark})"
    )


@lru_cache(maxsize=8)
def find_commitments(mark: str) -> str:
    """Return the search of the counter-account of pending legs, in the book of an account."""
    return (
        "SELECT id FROM ledger_account WHERE code = 'commitments' "
        f"AND book_id = (SELECT book_id FROM ledger_account WHERE id = {mark})"
    )


@lru_cache(maxsize=8)
def insert_hold(mark: str) -> str:
    """Return the insert of a hold."""
    columns = (
        "id, kind, debit_account_id, credit_account_id, amount_cents, captured_cents, "
        "released_cents, source_type, source_ref, expires_at, created_at"
    )
    return f"INSERT INTO ledger_hold ({columns}) VALUES ({_marks(mark, 11)})"


@lru_cache(maxsize=8)
def lock_hold(mark: str) -> str:
    """Return the read of a hold's accounts and what is left of it, under its row lock.

    SQLite locks the whole file anyway.
    """
    lock = "" if mark == SQLITE_MARK else " FOR UPDATE"
    return (
        "SELECT debit_account_id, credit_account_id, "
        "amount_cents - captured_cents - released_cents "
        f"FROM ledger_hold WHERE id = {mark}{lock}"
    )


@lru_cache(maxsize=8)
def count_hold(mark: str, *, captured: bool) -> str:
    """Return the update that adds to what was captured or released of a hold."""
    column = "captured_cents" if captured else "released_cents"
    return f"UPDATE ledger_hold SET {column} = {column} + {mark} WHERE id = {mark}"


def _marks(mark: str, count: int) -> str:
    return ", ".join([mark] * count)
