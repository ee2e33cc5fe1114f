"""ACH at the sandbox bank: files settle on their dates, entries to closed accounts come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Final

from seedtrust.core.bankdays import add_banking_days, next_banking_day
from seedtrust.core.clock import NEW_YORK, at_new_york, business_date
from seedtrust.formats import nacha
from seedtrust.sandbox import accounts, books, clock, events, files, paymentbook, settings
from seedtrust.sandbox.achcheck import file_id_text
from seedtrust.sandbox.books import Direction, Entered, Movement
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row

RETURNS_DUE: Final = "returns"
ACCOUNT_CLOSED: Final = "R02"

# BAI2 codes: 466/166 are the settlement totals of files that the account holder originated,
# 462/165 their single entries, 142 an ACH credit received, 257/557 single return items.
TOTAL_CODES: Final = {"debit": "466", "credit": "166"}
ITEM_CODES: Final = {"debit": "462", "credit": "165"}
RETURN_CODES: Final = {"credit": "257", "debit": "557"}
RECEIVED_CREDIT_CODE: Final = "142"
_MODIFIERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

_ENTRIES: Final = """
SELECT e.*, b.file_id, b.account_id, b.company_name, b.company_discretionary_data,
       b.company_identification, b.sec_code, b.entry_description, b.odfi_identification,
       b.settles_at, r.code, p.client_reference AS reference
FROM ach_entry e JOIN ach_batch b ON b.id = e.batch_id
LEFT JOIN ach_file f ON f.id = b.file_id
LEFT JOIN ach_return r ON r.entry_id = e.id
LEFT JOIN payment p ON p.entry_id = e.id
"""


def _own(direction: str) -> Direction:
    """Return what an entry does to its originator: a credit to a receiver takes money."""
    return "debit" if direction == "credit" else "credit"


def settle(connection: Connection, file_id: int, due_at: datetime) -> None:
    """Move the money of the batches of a file that settle now, and plan what will come back."""
    entries = connection.execute(
        _ENTRIES + " WHERE b.file_id = ? AND b.settles_at = ? AND e.status = 'received'"
        " ORDER BY b.account_id, e.direction, b.company_discretionary_data, e.id",
        (file_id, clock.to_text(due_at)),
    ).fetchall()
    _release(connection, entries)
    post = _post_items if settings.read(connection).itemised_settlement else _post_totals
    settlements = post(connection, entries)
    settled_on = business_date(due_at)
    conclude(connection, entries, settled_on)
    _finish(connection, file_id, settled_on, settlements)


def entry(connection: Connection, entry_id: int) -> Row:
    """Return an entry with what its batch says, and the code of its return if there is one."""
    row: Row = connection.execute(_ENTRIES + " WHERE e.id = ?", (entry_id,)).fetchone()
    return row


def conclude(connection: Connection, entries: list[Row], settled_on: date) -> None:
    """Note that entries have settled, plan what comes back, and credit receivers at this bank."""
    connection.executemany(
        "UPDATE ach_entry SET status = 'settled' WHERE id = ?", [(row["id"],) for row in entries]
    )
    bounced = _plan_returns(connection, entries, settled_on)
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
        posted.append(_posted(movement, len(members), _enter(connection, movement)))
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
        posted.append(_posted(movement, 1, _enter(connection, movement)))
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


def _enter(connection: Connection, movement: Movement) -> Entered | None:
    """Post a movement; prenotes move nothing and leave no line."""
    if movement.amount_cents == 0:
        return None
    return books.enter(connection, "ach", movement)


def _credit_receivers(connection: Connection, entries: list[Row], bounced: set[int]) -> None:
    """Credit receivers that have their account at this bank."""
    for entry in entries:
        if entry["direction"] != "credit" or entry["id"] in bounced:
            continue
        receiver = accounts.by_number(connection, entry["routing_number"], entry["account_number"])
        if receiver is not None:
            texts = (f"ACH CREDIT {entry['company_name']}", f"TRACE={entry['trace_number']}")
            _enter(
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


def close_counterparty(
    connection: Connection, routing_number: str, account_number: str, closed_on: date
) -> None:
    """Close an account at another bank: entries that settle from that day on come back R02."""
    connection.execute(
        "INSERT INTO closed_counterparty (routing_number, account_number, closed_on)"
        " VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET closed_on = excluded.closed_on",
        (routing_number, account_number, closed_on.isoformat()),
    )


def _plan_returns(connection: Connection, entries: list[Row], settled_on: date) -> set[int]:
    """Plan the return of what settled today and was refused: two banking days later, 08:30."""
    rows = connection.execute(
        "SELECT routing_number, account_number FROM closed_counterparty WHERE closed_on <= ?",
        (settled_on.isoformat(),),
    )
    closed = {(row["routing_number"], row["account_number"]) for row in rows}
    ordered = {
        row["entry_id"]
        for row in connection.execute("SELECT entry_id FROM ach_return WHERE due_at IS NULL")
    }
    due_at = at_new_york(
        add_banking_days(settled_on, clock.RETURN_BANKING_DAYS), *clock.ACH_SETTLEMENT
    )
    bounced: set[int] = set()
    for entry in entries:
        is_closed = (entry["routing_number"], entry["account_number"]) in closed
        if entry["id"] in ordered:
            _plan_return(connection, entry["id"], None, due_at)
        elif is_closed:
            _plan_return(connection, entry["id"], ACCOUNT_CLOSED, due_at)
        else:
            continue
        bounced.add(entry["id"])
    return bounced


def _plan_return(connection: Connection, entry_id: int, code: str | None, due_at: datetime) -> None:
    if code is None:
        connection.execute(
            "UPDATE ach_return SET due_at = ? WHERE entry_id = ?",
            (clock.to_text(due_at), entry_id),
        )
    else:
        connection.execute(
            "INSERT INTO ach_return (entry_id, code, due_at) VALUES (?, ?, ?)",
            (entry_id, code, clock.to_text(due_at)),
        )
    clock.schedule(connection, due_at, RETURNS_DUE, "ach")


def order_return(connection: Connection, trace_number: str, code: str) -> dict[str, object]:
    """Have an entry come back with a code, in time or, if it settled long ago, next morning.

    Raises BankProblem if customers' banks do not send such a code, no accepted entry has the
    trace number or it comes back already.
    """
    reason = nacha.RETURN_CODES.get(code)
    if reason is None or reason.is_bank_to_bank:
        message = f"{code} is no code with which a receiver's bank sends an entry back."
        raise BankProblem("invalid", message, errors={"code": [message]})
    entry = connection.execute(
        _ENTRIES
        + " WHERE e.trace_number = ? AND (f.id IS NULL OR f.status IN ('accepted', 'settled'))"
        " ORDER BY e.id DESC LIMIT 1",
        (trace_number,),
    ).fetchone()
    if entry is None:
        raise BankProblem("not_found", f"No accepted entry has the trace number {trace_number}.")
    known = connection.execute(
        "SELECT code, due_at FROM ach_return WHERE entry_id = ?", (entry["id"],)
    ).fetchone()
    if known is not None and known["code"] != code:
        raise BankProblem("wrong_state", f"The entry comes back already, as {known['code']}.")
    if known is None and entry["status"] == "settled":
        _plan_return(connection, entry["id"], code, _return_moment(connection, entry))
    elif known is None:
        connection.execute(
            "INSERT INTO ach_return (entry_id, code) VALUES (?, ?)", (entry["id"], code)
        )
    planned = connection.execute(
        "SELECT due_at FROM ach_return WHERE entry_id = ?", (entry["id"],)
    ).fetchone()
    return {
        "trace_number": trace_number,
        "return_code": code,
        "returns_at": clock.shown(planned["due_at"]),
    }


def _return_moment(connection: Connection, entry: Row) -> datetime:
    settled_on = business_date(clock.from_text(entry["settles_at"]))
    in_time = add_banking_days(settled_on, clock.RETURN_BANKING_DAYS)
    earliest = next_banking_day(clock.today(connection))
    return at_new_york(max(in_time, earliest), *clock.ACH_SETTLEMENT)


def bring_back(connection: Connection, due_at: datetime) -> None:
    """Credit (or debit) what comes back now, with one return file for each account."""
    entries = connection.execute(
        _ENTRIES + " WHERE r.due_at = ? AND r.file_name IS NULL"
        " ORDER BY b.account_id, substr(e.routing_number, 1, 8), e.batch_id, e.direction, e.id",
        (clock.to_text(due_at),),
    ).fetchall()
    for _, group in groupby(entries, lambda entry: str(entry["account_id"])):
        _bring_back_to(connection, list(group), due_at)


def _bring_back_to(connection: Connection, entries: list[Row], due_at: datetime) -> None:
    returned_on = business_date(due_at)
    number = _next_file_number(connection, returned_on)
    file_name = f"RET-{returned_on.isoformat()}-{number}.ach"
    content = nacha.render_file(_return_file(connection, entries, due_at, number))
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
    return_trace = _return_trace(entry)
    line = _enter(
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
    file = files.require(connection, entry["file_id"])
    settled_on = business_date(clock.from_text(entry["settles_at"]))
    events.record(
        connection,
        "entry.returned",
        {
            "file_id": file_id_text(entry["file_id"]),
            "client_reference": file["client_reference"],
            "account_id": entry["account_id"],
            "trace_number": entry["trace_number"],
            "return_trace_number": return_trace,
            "identification": entry["identification"],
            "name": entry["name"],
            "direction": entry["direction"],
            "amount_cents": entry["amount_cents"],
            "return_code": entry["code"],
            "settled_on": settled_on.isoformat(),
            "returned_on": returned_on.isoformat(),
            "return_file": file_name,
            "bank_reference": None if line is None else line.bank_reference,
        },
    )


def _return_file(
    connection: Connection, entries: list[Row], due_at: datetime, number: int
) -> nacha.OutgoingFile:
    account = accounts.require(connection, entries[0]["account_id"])
    file_id = entries[0]["file_id"]
    company = entries[0]["company_identification"]
    origin = company if file_id is None else files.require(connection, file_id)["origin"]
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
        reference_code="RETURNS",
        batches=_return_batches(entries, routing_number, business_date(due_at)),
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
        trace_number=_return_trace(entry),
        addenda=(
            nacha.OutgoingReturn(
                return_code=entry["code"],
                original_trace=entry["trace_number"],
                original_routing=entry["routing_number"][:8],
            ),
        ),
    )
