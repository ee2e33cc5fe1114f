"""Parsed files for people and programs to look at, account numbers cut to their last four."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from seedtrust.core.money import format_dollars
from seedtrust.formats.nacha.parsed import (
    BatchHeader,
    Control,
    EntryKind,
    FileHeader,
    ParsedEntry,
    Unreadable,
    mask,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedtrust.formats.nacha.faults import Fault
    from seedtrust.formats.nacha.findings import Event
    from seedtrust.formats.nacha.parsed import ParsedBatch, ParsedFile, Record

_PLAIN = frozenset({EntryKind.FORWARD, EntryKind.PRENOTE})


def _dollars(cents: int | None) -> str:
    return "?" if cents is None else format_dollars(cents)


def _header_lines(header: FileHeader) -> Iterator[str]:
    made = "an unknown date" if header.created_at is None else f"{header.created_at:%Y-%m-%d %H:%M}"
    yield (
        f"File {header.file_id_modifier} of {made}, from {header.origin_name} "
        f"({header.immediate_origin.strip()}) to {header.destination_name} "
        f"({header.immediate_destination.strip()})"
    )


def _batch_lines(header: BatchHeader) -> Iterator[str]:
    yield ""
    if header.is_missing:
        yield "Batch without a header"
        return
    day = "unknown" if header.effective_on is None else header.effective_on.isoformat()
    settled = "" if header.settlement_day is None else f", settled on day {header.settlement_day}"
    yield (
        f"Batch {header.batch_number}  {header.sec_code} {header.service_class}  "
        f"{header.company_name} ({header.company_identification})  {header.entry_description}  "
        f"effective {day}{settled}"
    )
    yield (
        f"  {'Code':<4}  {'Amount':>14}  {'Account':<9}  {'Routing':<9}  {'Name':<22}  "
        f"{'Identification':<15}  Trace"
    )


def _entry_lines(entry: ParsedEntry) -> Iterator[str]:
    account = f"...{entry.account_last_four}"
    yield (
        f"  {entry.transaction_code:02d}    {format_dollars(entry.amount_cents):>14}  "
        f"{account:<9}  {entry.routing_number:<9}  {entry.name:<22}  "
        f"{entry.identification:<15}  {entry.trace_number}"
    )
    for text in entry.remittance:
        yield f"        {text}"
    if entry.kind in _PLAIN:
        return
    code = entry.return_code or entry.change_code
    row = entry.return_reason or entry.change_reason
    meaning = "unknown code" if row is None else row.meaning
    original = f"Original trace {entry.original_trace}."
    yield f"        {code} {meaning} {original} {entry.information}".rstrip()
    correction = entry.correction
    if correction is not None:
        values = "  ".join(f"{key} {value}" for key, value in _corrected(entry).items())
        yield f"        {values or 'The corrected data must be read by a person.'}"


def _corrected(entry: ParsedEntry) -> dict[str, str]:
    correction = entry.correction
    if correction is None:
        return {}
    values = {key: str(value) for key, value in asdict(correction).items() if value is not None}
    for key in ("change_code", "is_complete", "is_aligned"):
        del values[key]
    if "account_number" in values:
        values["account_number"] = mask(values["account_number"])
    return values


def _control_lines(control: Control) -> Iterator[str]:
    totals = (
        f"entries and addenda {control.entry_addenda_count}, "
        f"debits {_dollars(control.debit_cents)}, credits {_dollars(control.credit_cents)}, "
        f"entry hash {control.entry_hash}"
    )
    if control.is_of_file:
        yield ""
        yield f"File total: batches {control.batch_count}, blocks {control.block_count}, {totals}"
    else:
        yield f"  Batch total: {totals}"


def lines_of(event: Event) -> Iterator[str]:
    """Yield the lines of a table for people; nothing for a fault."""
    if isinstance(event, ParsedEntry):
        yield from _entry_lines(event)
    elif isinstance(event, FileHeader):
        yield from _header_lines(event)
    elif isinstance(event, BatchHeader):
        yield from _batch_lines(event)
    elif isinstance(event, Control):
        yield from _control_lines(event)
    elif isinstance(event, Unreadable):
        yield f"  Line {event.line} cannot be read"


def fault_as_json(fault: Fault) -> dict[str, object]:
    """Return a fault as plain values."""
    return asdict(fault)


def _entry_as_json(entry: ParsedEntry) -> dict[str, object]:
    values: dict[str, object] = {
        "line": entry.line,
        "kind": entry.kind.value,
        "transaction_code": entry.transaction_code,
        "routing_number": entry.routing_number,
        "account_number": mask(entry.account_number),
        "amount_cents": entry.amount_cents,
        "is_debit": entry.is_debit,
        "identification": entry.identification,
        "name": entry.name,
        "discretionary": entry.discretionary,
        "trace_number": entry.trace_number,
        "addenda": [row.fields() for row in entry.addenda],
    }
    if entry.kind not in _PLAIN:
        values["return_code"] = entry.return_code
        values["change_code"] = entry.change_code
        values["original_trace"] = entry.original_trace
        values["correction"] = _corrected(entry)
    return values


def _batch_as_json(batch: ParsedBatch) -> dict[str, object]:
    return {
        "header": None if batch.header.is_missing else batch.header.fields(),
        "entries": [_entry_as_json(entry) for entry in batch.entries],
        "control": _fields(batch.control),
    }


def _fields(record: Record | None) -> dict[str, str] | None:
    return None if record is None else record.fields()


def file_as_json(file: ParsedFile) -> dict[str, object]:
    """Return a parsed file as plain values."""
    return {
        "header": _fields(file.header),
        "batches": [_batch_as_json(batch) for batch in file.batches],
        "control": _fields(file.control),
        "faults": [fault_as_json(fault) for fault in file.faults],
        "unreadable_lines": [row.line for row in file.unreadable],
    }
