"""Notifications of change: the receiver's bank has kept the money and corrects the details."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Final

from seedtrust.core.bankdays import next_banking_day
from seedtrust.core.clock import at_new_york, business_date
from seedtrust.formats import nacha
from seedtrust.sandbox import accounts, clock, events, paymentbook, receivers
from seedtrust.sandbox.achentries import COLUMNS, SOURCES, answer_day, answer_trace, facts
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.receivers import Change
from seedtrust.sandbox.returns import answer_file
from seedtrust.sandbox.store import Connection, Row

CHANGES_DUE: Final = "changes"
CORRECTED_DATA: Final = re.compile(r"[\x20-\x7e]{1,29}")
# Counted apart from returns, so that no two answers of a bank share a trace number.
_FIRST_TRACE: Final = 5_000_000
_CHANGED: Final = (
    f"SELECT {COLUMNS}, c.code, c.corrected_data FROM {SOURCES}"  # noqa: S608 - constants
    " JOIN ach_change c ON c.entry_id = e.id"
)


def plan(connection: Connection, entry: Row) -> None:
    """Plan the notification of an entry that has just settled, if its account calls for one.

    It comes with the returns of its day, at 08:30 of the second banking day after settlement.
    """
    due_at = _opening(answer_day(entry))
    ordered = connection.execute(
        "UPDATE ach_change SET due_at = ? WHERE entry_id = ? AND due_at IS NULL",
        (due_at, entry["id"]),
    ).rowcount
    wanted = receivers.change(entry)
    if wanted is not None:
        _order(connection, entry, wanted, due_at)
    if ordered or wanted is not None:
        clock.schedule(connection, clock.from_text(due_at), CHANGES_DUE, "ach")


def _opening(day: date) -> str:
    return clock.to_text(at_new_york(day, *clock.ACH_SETTLEMENT))


def _order(connection: Connection, entry: Row, wanted: Change, due_at: str | None) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO ach_change (entry_id, code, corrected_data, due_at)"
        " VALUES (?, ?, ?, ?)",
        (entry["id"], wanted.code, wanted.corrected_data, due_at),
    )


def order(connection: Connection, entry: Row, wanted: Change) -> dict[str, object]:
    """Have a notification of change come for an entry, in time or, if that is past, next morning.

    Raises BankProblem if receivers' banks do not send such a code.
    """
    require_code(wanted.code)
    due_at = None
    if entry["status"] != "received":
        earliest = next_banking_day(clock.today(connection))
        due_at = _opening(max(answer_day(entry), earliest))
        clock.schedule(connection, clock.from_text(due_at), CHANGES_DUE, "ach")
    _order(connection, entry, wanted, due_at)
    return {
        "trace_number": entry["trace_number"],
        "change_code": wanted.code,
        "notes_at": clock.shown(due_at),
    }


def require_code(code: str) -> None:
    """Raise BankProblem unless receivers' banks send notifications of change with a code."""
    if not receivers.can_change(code):
        message = f"{code} is no code of a notification of change."
        raise BankProblem("invalid", message, errors={"code": [message]})


def bring(connection: Connection, due_at: datetime) -> None:
    """Hand out the notifications that are due now, with one file for each account."""
    entries = connection.execute(
        _CHANGED + " WHERE c.due_at = ? AND c.file_name IS NULL"
        " ORDER BY b.account_id, substr(e.routing_number, 1, 8), e.batch_id, e.id, c.code",
        (clock.to_text(due_at),),
    ).fetchall()
    for _, group in groupby(entries, lambda entry: str(entry["account_id"])):
        _bring_to(connection, list(group), due_at)


def _bring_to(connection: Connection, entries: list[Row], due_at: datetime) -> None:
    noted_on = business_date(due_at)
    number = connection.execute(
        "SELECT count(DISTINCT file_name) + 1 AS number FROM ach_change WHERE file_name LIKE ?",
        (f"COR-{noted_on.isoformat()}-%",),
    ).fetchone()["number"]
    file_name = f"COR-{noted_on.isoformat()}-{number}.ach"
    routing_number = accounts.require(connection, entries[0]["account_id"])["routing_number"]
    batches = _batches(entries, routing_number, noted_on)
    content = nacha.render_file(
        answer_file(connection, entries, due_at, number, batches, label="CHANGES")
    )
    connection.execute(
        "INSERT INTO outbox (name, content, is_written) VALUES (?, ?, 0)", (file_name, content)
    )
    for entry in entries:
        _bring_one(connection, entry, noted_on, file_name)


def _bring_one(connection: Connection, entry: Row, noted_on: date, file_name: str) -> None:
    trace_number = answer_trace(entry, first=_FIRST_TRACE)
    connection.execute(
        "UPDATE ach_change SET trace_number = ?, file_name = ? WHERE entry_id = ? AND code = ?",
        (trace_number, file_name, entry["id"], entry["code"]),
    )
    payment = paymentbook.of_entry(connection, entry["id"])
    if payment is not None:
        paymentbook.tell(connection, payment["id"], "corrected")
        return
    told: dict[str, object] = {
        "change_trace_number": trace_number,
        "change_code": entry["code"],
        "corrected_data": entry["corrected_data"],
        "noted_on": noted_on.isoformat(),
        "change_file": file_name,
    }
    events.record(connection, "entry.corrected", facts(connection, entry) | told)


def _batches(
    entries: list[Row], routing_number: str, noted_on: date
) -> Iterator[nacha.OutgoingBatch]:
    def key(entry: Row) -> tuple[str, int, str]:
        return (entry["routing_number"][:8], entry["batch_id"], entry["direction"])

    for number, ((bank, _, direction), group) in enumerate(groupby(entries, key), start=1):
        members = list(group)
        first = members[0]
        is_credit = direction == "credit"
        yield nacha.OutgoingBatch(
            service_class=nacha.ServiceClass.CREDITS if is_credit else nacha.ServiceClass.DEBITS,
            company_name=first["company_name"],
            company_discretionary_data=first["company_discretionary_data"],
            company_identification=first["company_identification"],
            sec_code="COR",
            entry_description=first["entry_description"],
            descriptive_date="",
            effective_on=noted_on,
            odfi_identification=bank,
            batch_number=number,
            entries=[_entry(entry, routing_number) for entry in members],
            purpose=nacha.Purpose.CHANGE,
            settlement_day=noted_on.timetuple().tm_yday,
        )


def _entry(entry: Row, routing_number: str) -> nacha.OutgoingEntry:
    """Return the zero-amount entry that corrects another (facts of the Nacha COR entry)."""
    family = entry["transaction_code"] // 10 * 10
    return nacha.OutgoingEntry(
        transaction_code=family + (1 if entry["direction"] == "credit" else 6),
        routing_number=routing_number,
        account_number=entry["account_number"],
        amount_cents=0,
        identification=entry["identification"],
        name=entry["name"],
        trace_number=answer_trace(entry, first=_FIRST_TRACE),
        addenda=(
            nacha.OutgoingChange(
                change_code=entry["code"],
                original_trace=entry["trace_number"],
                original_routing=entry["routing_number"][:8],
                corrected_data=entry["corrected_data"],
            ),
        ),
    )
