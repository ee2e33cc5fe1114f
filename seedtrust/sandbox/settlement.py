"""ACH at the sandbox bank: files settle on their dates, receivers at this bank are credited."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from itertools import groupby
from typing import Final

from seedtrust.core.clock import business_date
from seedtrust.sandbox import accounts, books, clock, corrections, events, files, returns, settings
from seedtrust.sandbox.achcheck import file_id_text
from seedtrust.sandbox.achentries import ENTRIES, enter
from seedtrust.sandbox.books import Direction, Entered, Movement
from seedtrust.sandbox.store import Connection, Row

# BAI2 codes: 466/166 are the settlement totals of files that the account holder originated,
# 462/165 their single entries, 142 an ACH credit received.
TOTAL_CODES: Final = {"debit": "466", "credit": "166"}
ITEM_CODES: Final = {"debit": "462", "credit": "165"}
RECEIVED_CREDIT_CODE: Final = "142"


def _own(direction: str) -> Direction:
    """Return what an entry does to its originator: a credit to a receiver takes money."""
    return "debit" if direction == "credit" else "credit"


def settle(connection: Connection, file_id: int, due_at: datetime) -> None:
    """Move the money of the batches of a file that settle now, and plan what will come back."""
    entries = connection.execute(
        ENTRIES + " WHERE b.file_id = ? AND b.settles_at = ? AND e.status = 'received'"
        " ORDER BY b.account_id, e.direction, b.company_discretionary_data, e.id",
        (file_id, clock.to_text(due_at)),
    ).fetchall()
    _release(connection, entries)
    post = _post_items if settings.read(connection).itemised_settlement else _post_totals
    settlements = post(connection, entries)
    settled_on = business_date(due_at)
    conclude(connection, entries)
    _finish(connection, file_id, settled_on, settlements)


def conclude(connection: Connection, entries: list[Row]) -> None:
    """Note that entries have settled, plan the answers to them, credit receivers at this bank."""
    connection.executemany(
        "UPDATE ach_entry SET status = 'settled' WHERE id = ?", [(row["id"],) for row in entries]
    )
    bounced = {row["id"] for row in entries if returns.plan(connection, row)}
    for row in entries:
        if row["id"] not in bounced:
            corrections.plan(connection, row)
    _credit_receivers(connection, entries, bounced)


def _release(connection: Connection, entries: list[Row]) -> None:
    """Take back the promises of the credits that are about to move."""
    promised: Counter[str] = Counter()
    for row in entries:
        if row["direction"] == "credit":
            promised[row["account_id"]] += row["amount_cents"]
    for account_id, cents in promised.items():
        books.release(connection, account_id, cents)


def _finish(
    connection: Connection, file_id: int, settled_on: date, settlements: list[dict[str, object]]
) -> None:
    remaining = connection.execute(
        "SELECT count(*) FROM ach_entry e JOIN ach_batch b ON b.id = e.batch_id"
        " WHERE b.file_id = ? AND e.status = 'received'",
        (file_id,),
    ).fetchone()[0]
    if remaining == 0:
        connection.execute(
            "UPDATE ach_file SET status = 'settled', settled_at = ? WHERE id = ?",
            (clock.to_text(clock.now(connection)), file_id),
        )
    row = files.require(connection, file_id)
    events.record(
        connection,
        "file.settled",
        {
            "id": file_id_text(file_id),
            "name": row["name"],
            "sha256": row["sha256"],
            "client_reference": row["client_reference"],
            "settles_on": settled_on.isoformat(),
            "is_complete": remaining == 0,
            "settlements": settlements,
        },
    )


def _post_totals(connection: Connection, entries: list[Row]) -> list[dict[str, object]]:
    """Post one line for each account, direction and reference of the batch headers."""

    def key(entry: Row) -> tuple[str, str, str]:
        return (entry["account_id"], entry["direction"], entry["company_discretionary_data"])

    posted: list[dict[str, object]] = []
    for (account_id, direction, reference), group in groupby(entries, key):
        members = list(group)
        own = _own(direction)
        movement = Movement(
            account_id=account_id,
            direction=own,
            amount_cents=sum(entry["amount_cents"] for entry in members),
            contra=books.ACH_NETWORK,
            type_code=TOTAL_CODES[own],
            customer_reference=reference,
            text_lines=_total_text(members),
        )
        posted.append(_posted(movement, len(members), enter(connection, movement)))
    return posted


def _total_text(members: list[Row]) -> tuple[str, ...]:
    first = members[0]
    noun = "CREDIT" if first["direction"] == "credit" else "DEBIT"
    batches = len({entry["batch_id"] for entry in members})
    counts = f"{len(members)} {noun}{'S' if len(members) > 1 else ''}"
    in_batches = f"{batches} BATCH{'ES' if batches > 1 else ''}"
    return (
        f"ACH SETTLEMENT {counts} IN {in_batches}",
        f"COMPANY={first['company_name']}",
        f"FILE={file_id_text(first['file_id'])}",
    )


def _post_items(connection: Connection, entries: list[Row]) -> list[dict[str, object]]:
    """Post one line for each entry, with its own identification as the reference."""
    posted: list[dict[str, object]] = []
    for entry in entries:
        own = _own(entry["direction"])
        movement = Movement(
            account_id=entry["account_id"],
            direction=own,
            amount_cents=entry["amount_cents"],
            contra=books.ACH_NETWORK,
            type_code=ITEM_CODES[own],
            customer_reference=entry["identification"],
            text_lines=(
                f"ACH {entry['direction']} {entry['name']}",
                f"TRACE={entry['trace_number']}",
                f"FILE={file_id_text(entry['file_id'])}",
            ),
        )
        posted.append(_posted(movement, 1, enter(connection, movement)))
    return posted


def _posted(movement: Movement, entries: int, line: Entered | None) -> dict[str, object]:
    return {
        "account_id": movement.account_id,
        "direction": movement.direction,
        "customer_reference": movement.customer_reference,
        "entries": entries,
        "amount_cents": movement.amount_cents,
        "bank_reference": None if line is None else line.bank_reference,
    }


def _credit_receivers(connection: Connection, entries: list[Row], bounced: set[int]) -> None:
    """Credit receivers that have their account at this bank."""
    for entry in entries:
        if entry["direction"] != "credit" or entry["id"] in bounced:
            continue
        receiver = accounts.by_number(connection, entry["routing_number"], entry["account_number"])
        if receiver is not None:
            texts = (f"ACH CREDIT {entry['company_name']}", f"TRACE={entry['trace_number']}")
            enter(
                connection,
                Movement(
                    account_id=receiver["id"],
                    direction="credit",
                    amount_cents=entry["amount_cents"],
                    contra=books.ACH_NETWORK,
                    type_code=RECEIVED_CREDIT_CODE,
                    customer_reference=entry["identification"],
                    text_lines=texts,
                ),
            )
