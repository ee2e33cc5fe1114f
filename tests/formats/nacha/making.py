"""Files to test with: builders with sensible values, and ways to spoil what they make."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from seedtrust.formats.nacha import (
    Fault,
    Offset,
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingChange,
    OutgoingContest,
    OutgoingDishonour,
    OutgoingEntry,
    OutgoingFile,
    OutgoingRefusal,
    OutgoingReturn,
    Purpose,
    ServiceClass,
    render_file,
    validate,
)

ODFI: Final = "04400002"
BANK: Final = "044000024"
RDFI: Final = "09100001"
_ENTRY: Final = OutgoingEntry(
    transaction_code=22,
    routing_number="091000019",
    account_number="0123456789",
    amount_cents=123_450,
    identification="K7QW2M4ZP9XA3BC",
    name="Jane Doe",
    trace_number=f"{ODFI}0000001",
)
_BATCH: Final = OutgoingBatch(
    service_class=ServiceClass.CREDITS,
    company_name="SEEDTRUST LLC",
    company_discretionary_data="RUN 17",
    company_identification="1234567890",
    sec_code="PPD",
    entry_description="REIMBURSE",
    descriptive_date="",
    effective_on=date(2026, 11, 24),
    odfi_identification=ODFI,
    batch_number=1,
    entries=(),
)
_FILE: Final = OutgoingFile(
    immediate_destination=BANK,
    immediate_origin="1234567890",
    created_at=datetime.fromisoformat("2026-11-23T09:30:00"),
    file_id_modifier="A",
    destination_name="HUNTINGTON",
    origin_name="SEEDTRUST LLC",
    reference_code="RUN00017",
    batches=(),
)


def trace(sequence: int, odfi: str = ODFI) -> str:
    """Return a trace number."""
    return f"{odfi}{sequence:07d}"


def an_entry(sequence: int = 1, **changes: Any) -> OutgoingEntry:
    """Return a credit of 1,234.50 to a checking account."""
    return replace(_ENTRY, **{"trace_number": trace(sequence)} | changes)


def with_remittance(sequence: int = 1, *texts: str, **changes: Any) -> OutgoingEntry:
    """Return an entry with remittance records, one if no text is given."""
    rows = tuple(map(OutgoingAddenda, texts or ("RMR*IV*INV-2026-001\\",)))
    return an_entry(sequence, addenda=rows, **changes)


def a_batch(*entries: OutgoingEntry, **changes: Any) -> OutgoingBatch:
    """Return a batch of PPD credits, of one entry if none is given."""
    return replace(_BATCH, **{"entries": entries or (an_entry(),)} | changes)


def a_file(*batches: OutgoingBatch, **changes: Any) -> OutgoingFile:
    """Return a file, of one batch if none is given."""
    return replace(_FILE, **{"batches": batches or (a_batch(),)} | changes)


def rendered(*batches: OutgoingBatch, **changes: Any) -> bytes:
    """Return the bytes of a file."""
    return render_file(a_file(*batches, **changes))


def a_return(**changes: Any) -> OutgoingBatch:
    """Return the batch by which a bank sends a credit back for want of an account."""
    reason = OutgoingReturn("R03", trace(1), RDFI, "NAME DOES NOT FIT")
    entry = an_entry(transaction_code=21, trace_number=trace(1, RDFI), addenda=(reason,))
    values = {"odfi_identification": RDFI, "purpose": Purpose.RETURN, "settlement_day": 329}
    return a_batch(entry, **values | changes)


def a_change(code: str = "C02", data: str = "121000248", **changes: Any) -> OutgoingBatch:
    """Return the batch by which a bank announces a new routing number."""
    reason = OutgoingChange(code, trace(1), RDFI, data)
    entry = an_entry(
        transaction_code=21,
        amount_cents=0,
        trace_number=trace(2, RDFI),
        addenda=(reason,),
    )
    values = {
        "odfi_identification": RDFI,
        "purpose": Purpose.CHANGE,
        "sec_code": "COR",
        "settlement_day": 329,
    }
    return a_batch(entry, **values | changes)


def disputes() -> list[OutgoingBatch]:
    """Return a dishonoured return, a contested one and a refused change, each in its batch."""
    dishonour = OutgoingDishonour("R68", trace(1), RDFI, trace(1, RDFI), 330, "03", "TOO LATE")
    contest = OutgoingContest(
        return_code="R73",
        original_trace=trace(1),
        original_routing=RDFI,
        return_trace=trace(1, RDFI),
        return_settlement_day=330,
        return_reason="03",
        dishonoured_trace=trace(9),
        dishonoured_settlement_day=335,
        dishonoured_reason="68",
        original_settlement_day=328,
        original_returned_on=date(2026, 11, 27),
    )
    refusal = OutgoingRefusal("C64", trace(1), RDFI, "C09", "0000001", "NEW REFERENCE")
    returned = {"purpose": Purpose.RETURN}
    changed = {"purpose": Purpose.CHANGE, "sec_code": "COR"}
    return [
        a_batch(an_entry(11, transaction_code=21, addenda=(dishonour,)), **returned),
        a_batch(
            an_entry(transaction_code=21, trace_number=trace(3, RDFI), addenda=(contest,)),
            odfi_identification=RDFI,
            batch_number=2,
            **returned,
        ),
        a_batch(
            an_entry(12, transaction_code=21, amount_cents=0, addenda=(refusal,)),
            batch_number=3,
            **changed,
        ),
    ]


def debits(sec_code: str, **changes: Any) -> OutgoingBatch:
    """Return a batch of one debit that a consumer authorised online or by telephone."""
    entry = an_entry(transaction_code=27, discretionary="S")
    values: dict[str, Any] = {
        "sec_code": sec_code,
        "service_class": ServiceClass.DEBITS,
        "entry_description": "ESCROWDEP",
    }
    return a_batch(entry, **values | changes)


def balanced(**changes: Any) -> OutgoingBatch:
    """Return a batch of credits that debits our own account for their total."""
    offset = Offset(27, BANK, "555000111", trace(99))
    values = {"service_class": ServiceClass.MIXED, "offset": offset}
    return a_batch(an_entry(1), an_entry(2, amount_cents=1), **values | changes)


def records_of(data: bytes) -> list[str]:
    """Return the records of a file that ends them with LF."""
    return data.decode("ascii").removesuffix("\n").split("\n")


def bytes_of(records: Iterable[str], line_end: str = "\n") -> bytes:
    """Return a file made of records."""
    return "".join(record + line_end for record in records).encode("latin-1")


def put(line: int, column: int, text: str) -> Callable[[list[str]], list[str]]:
    """Return a spoiler that overwrites a place; both count from 1."""

    def spoil(records: list[str]) -> list[str]:
        record = records[line - 1]
        spoilt = record[: column - 1] + text + record[column - 1 + len(text) :]
        return [*records[: line - 1], spoilt, *records[line:]]

    return spoil


def padded(records: Iterable[str]) -> list[str]:
    """Return the records with as much filler as their number asks for."""
    kept = [record for record in records if record != "9" * 94]
    return kept + ["9" * 94] * (-len(kept) % 10)


def faults_in(data: bytes, *, lenient: bool = False) -> list[Fault]:
    """Return everything that a reader finds."""
    return list(validate(io.BytesIO(data), lenient=lenient))


def refusals_in(data: bytes, *, lenient: bool = False) -> set[str]:
    """Return the codes of the faults that are no warnings."""
    return {fault.code for fault in faults_in(data, lenient=lenient) if not fault.is_warning}


def warnings_in(data: bytes, *, lenient: bool = False) -> set[str]:
    """Return the codes of the warnings."""
    return {fault.code for fault in faults_in(data, lenient=lenient) if fault.is_warning}
