"""Returns at the sandbox bank: planned as entries settle, ordered by a test, and brought back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from seedtrust.core.bankdays import add_banking_days, next_banking_day, on_or_after
from seedtrust.core.clock import NEW_YORK, at_new_york, business_date
from seedtrust.formats import nacha
from seedtrust.sandbox import accounts, books, clock, events, paymentbook, receivers
from seedtrust.sandbox.achentries import (
    COLUMNS,
    SOURCES,
    answer_day,
    answer_trace,
    enter,
    facts,
    settled_on,
)
from seedtrust.sandbox.books import Direction, Movement
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row

RETURNS_DUE: Final = "returns"
# BAI2: a credit / debit that was originated and comes back, one line for each.
RETURN_CODES: Final = {"credit": "257", "debit": "557"}
# Receivers notice what nobody authorised late: on the tenth banking day, if nothing else is said.
LATE_BANKING_DAYS: Final = 10
LATEST_DAYS: Final = 60
_DIED: Final = frozenset({"R14", "R15"})
_MODIFIERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_RETURNED: Final = (
    f"SELECT {COLUMNS}, r.code FROM {SOURCES}"  # noqa: S608 - constants
    " JOIN ach_return r ON r.entry_id = e.id"
)


def plan(connection: Connection, entry: Row) -> bool:
    """Plan the return of an entry that has just settled; tell whether it is refused.

    Ordinary codes come at 08:30 of the second banking day after settlement, those for which a
    receiver has 60 days on the tenth.
    """
    ordered = _known(connection, entry)
    day = settled_on(entry)
    if ordered is not None:
        _fix(connection, entry, ordered["due_at"] or _moment(entry, ordered["code"]))
        return True
    code = receivers.return_code(connection, entry, day)
    if code is None:
        return False
    _order(connection, entry, code)
    _fix(connection, entry, _moment(entry, code))
    return True


def _known(connection: Connection, entry: Row) -> Row | None:
    row: Row | None = connection.execute(
        "SELECT * FROM ach_return WHERE entry_id = ?", (entry["id"],)
    ).fetchone()
    return row


def _order(connection: Connection, entry: Row, code: str) -> None:
    connection.execute("INSERT INTO ach_return (entry_id, code) VALUES (?, ?)", (entry["id"], code))


def _fix(connection: Connection, entry: Row, due_at: str) -> None:
    connection.execute("UPDATE ach_return SET due_at = ? WHERE entry_id = ?", (due_at, entry["id"]))
    clock.schedule(connection, clock.from_text(due_at), RETURNS_DUE, "ach")


def _moment(entry: Row, code: str) -> str:
    day = answer_day(entry)
    if receivers.is_late(code):
        day = add_banking_days(settled_on(entry), LATE_BANKING_DAYS)
    return _opening(day)


def _opening(day: date) -> str:
    return clock.to_text(at_new_york(day, *clock.ACH_SETTLEMENT))


def order(
    connection: Connection, entry: Row, code: str, wanted_on: date | None = None
) -> dict[str, object]:
    """Have an entry come back with a code: in time, or next morning if its time has passed.

    ``wanted_on`` chooses another day after settlement. Raises BankProblem if receivers' banks do
    not send such a code, the day cannot be, or the entry comes back already with another code.
    """
    require_code(code)
    known = _known(connection, entry)
    if known is not None and known["code"] != code:
        raise BankProblem("wrong_state", f"The entry comes back already, as {known['code']}.")
    if known is None:
        _order(connection, entry, code)
        day = None if wanted_on is None else _checked_day(connection, entry, code, wanted_on)
        if day is not None:
            _fix(connection, entry, _opening(day))
        elif entry["status"] == "settled":
            earliest = next_banking_day(clock.today(connection))
            _fix(connection, entry, _opening(max(answer_day(entry), earliest)))
    planned = _known(connection, entry)
    assert planned is not None, "it was ordered above"
    return {
        "trace_number": entry["trace_number"],
        "return_code": code,
        "returns_at": clock.shown(planned["due_at"]),
    }


def require_code(code: str) -> None:
    """Raise BankProblem unless receivers' banks send entries back with a code."""
    if not receivers.can_return(code):
        message = f"{code} is no code with which a receiver's bank sends an entry back."
        raise BankProblem("invalid", message, errors={"code": [message]})


def _checked_day(connection: Connection, entry: Row, code: str, wanted_on: date) -> date:
    day = on_or_after(wanted_on)
    earliest = max(next_banking_day(settled_on(entry)), next_banking_day(clock.today(connection)))
    latest = next_banking_day(settled_on(entry) + timedelta(days=LATEST_DAYS))
    if day < earliest or (receivers.is_late(code) and day > latest):
        message = f"Give a day from {earliest} to {latest}."
        raise BankProblem("invalid", message, errors={"on": [message]})
    return day


def bring_back(connection: Connection, due_at: datetime) -> None:
    """Credit (or debit) what comes back now, with one return file for each account."""
    entries = connection.execute(
        _RETURNED + " WHERE r.due_at = ? AND r.file_name IS NULL"
        " ORDER BY b.account_id, substr(e.routing_number, 1, 8), e.batch_id, e.direction, e.id",
        (clock.to_text(due_at),),
    ).fetchall()
    for _, group in groupby(entries, lambda entry: str(entry["account_id"])):
        _bring_back_to(connection, list(group), due_at)


def _bring_back_to(connection: Connection, entries: list[Row], due_at: datetime) -> None:
    returned_on = business_date(due_at)
    number = _next_file_number(connection, returned_on)
    file_name = f"RET-{returned_on.isoformat()}-{number}.ach"
    routing_number = accounts.require(connection, entries[0]["account_id"])["routing_number"]
    batches = _return_batches(entries, routing_number, returned_on)
    content = nacha.render_file(
        answer_file(connection, entries, due_at, number, batches, label="RETURNS")
    )
    connection.execute(
        "INSERT INTO outbox (name, content, is_written) VALUES (?, ?, 0)", (file_name, content)
    )
    for entry in entries:
        _bring_back_one(connection, entry, returned_on, file_name)


def _next_file_number(connection: Connection, returned_on: date) -> int:
    row = connection.execute(
        "SELECT count(DISTINCT file_name) + 1 AS number FROM ach_return WHERE file_name LIKE ?",
        (f"RET-{returned_on.isoformat()}-%",),
    ).fetchone()
    return int(row["number"])


def _return_trace(entry: Row) -> str:
    return f"{entry['routing_number'][:8]}{entry['id'] % 10_000_000:07d}"


def _bring_back_one(connection: Connection, entry: Row, returned_on: date, file_name: str) -> None:
    direction: Direction = entry["direction"]
    return_trace = answer_trace(entry)
    line = enter(
        connection,
        Movement(
            account_id=entry["account_id"],
            direction=direction,
            amount_cents=entry["amount_cents"],
            contra=books.ACH_NETWORK,
            type_code=RETURN_CODES[direction],
            customer_reference=entry["reference"] or entry["identification"],
            text_lines=(
                f"ACH RETURN {entry['code']} {entry['name']}",
                f"TRACE={return_trace}",
                f"ORIG={entry['trace_number']}",
                f"REASON={entry['code']}",
            ),
        ),
    )
    connection.execute(
        "UPDATE ach_return SET trace_number = ?, file_name = ?, line_id = ? WHERE entry_id = ?",
        (return_trace, file_name, None if line is None else line.line_id, entry["id"]),
    )
    connection.execute("UPDATE ach_entry SET status = 'returned' WHERE id = ?", (entry["id"],))
    payment = paymentbook.of_entry(connection, entry["id"])
    if payment is not None:
        paymentbook.mark(connection, payment, "returned")
        return
    told: dict[str, object] = {
        "return_trace_number": return_trace,
        "return_code": entry["code"],
        "returned_on": returned_on.isoformat(),
        "return_file": file_name,
        "bank_reference": None if line is None else line.bank_reference,
    }
    events.record(connection, "entry.returned", facts(connection, entry) | told)


def answer_file(
    connection: Connection,
    entries: list[Row],
    due_at: datetime,
    number: int,
    batches: Iterable[nacha.OutgoingBatch],
    *,
    label: str,
) -> nacha.OutgoingFile:
    """Return the file in which the bank hands the answers of receivers' banks to a customer."""
    account = accounts.require(connection, entries[0]["account_id"])
    file = connection.execute(
        "SELECT origin FROM ach_file WHERE id = ?", (entries[0]["file_id"],)
    ).fetchone()
    origin = entries[0]["company_identification"] if file is None else file["origin"]
    routing_number = account["routing_number"]
    # A customer's number of nine digits may not pass for a routing number; the bank's does.
    is_nine = len(origin.strip()) == len(routing_number)
    destination = routing_number if is_nine else origin
    return nacha.OutgoingFile(
        immediate_destination=destination,
        immediate_origin=f" {routing_number}",
        created_at=due_at.astimezone(NEW_YORK).replace(tzinfo=None),
        file_id_modifier=_MODIFIERS[(number - 1) % len(_MODIFIERS)],
        destination_name=account["name"],
        origin_name="SANDBOX BANK",
        reference_code=label,
        batches=batches,
    )


def _return_batches(
    entries: Iterable[Row], routing_number: str, returned_on: date
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
            sec_code=first["sec_code"],
            entry_description=first["entry_description"],
            descriptive_date="",
            effective_on=returned_on,
            odfi_identification=bank,
            batch_number=number,
            entries=[_return_entry(entry, routing_number) for entry in members],
            purpose=nacha.Purpose.RETURN,
            settlement_day=returned_on.timetuple().tm_yday,
        )


def _return_entry(entry: Row, routing_number: str) -> nacha.OutgoingEntry:
    """Echo an entry as its receiver's bank sends it back (facts of the Nacha return entry)."""
    family = entry["transaction_code"] // 10 * 10
    return nacha.OutgoingEntry(
        transaction_code=family + (1 if entry["direction"] == "credit" else 6),
        routing_number=routing_number,
        account_number=entry["account_number"],
        amount_cents=entry["amount_cents"],
        identification=entry["identification"],
        name=entry["name"],
        trace_number=answer_trace(entry),
        addenda=(
            nacha.OutgoingReturn(
                return_code=entry["code"],
                original_trace=entry["trace_number"],
                original_routing=entry["routing_number"][:8],
                died_on=settled_on(entry) if entry["code"] in _DIED else None,
            ),
        ),
    )
