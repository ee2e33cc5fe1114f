"""From what was read back to what can be written, for outbound classes and answers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.codes import Purpose, reserved_description
from seedtrust.formats.nacha.faults import WriteError
from seedtrust.formats.nacha.outgoing import (
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingChange,
    OutgoingContest,
    OutgoingDishonour,
    OutgoingEntry,
    OutgoingFile,
    OutgoingRefusal,
    OutgoingReturn,
)
from seedtrust.formats.nacha.parsed import EntryKind

if TYPE_CHECKING:
    from seedtrust.formats.nacha.outgoing import AnyAddenda
    from seedtrust.formats.nacha.parsed import (
        ParsedAddenda,
        ParsedBatch,
        ParsedEntry,
        ParsedFile,
    )

_CHANGES = frozenset({EntryKind.CHANGE, EntryKind.REFUSED_CHANGE})
_PAYMENTS = frozenset({EntryKind.FORWARD, EntryKind.PRENOTE})


def _addenda(row: ParsedAddenda) -> AnyAddenda:
    """Return the outgoing form of an addenda record; raise WriteError if there is none."""
    text, layout = row.field, row.layout
    if layout is layouts.ADDENDA_05:
        return OutgoingAddenda(text("payment_information"))
    start = (text("original_trace"), text("original_routing"))
    if layout is layouts.ADDENDA_99:
        died_on = row.day("date_of_death")
        return OutgoingReturn(text("return_code"), *start, text("information"), died_on)
    if layout is layouts.ADDENDA_98:
        return OutgoingChange(text("change_code"), *start, text("corrected_data"))
    if layout is layouts.REFUSED_CHANGE:
        return OutgoingRefusal(
            text("change_code"),
            *start,
            text("refused_change_code"),
            text("change_trace_sequence"),
            text("corrected_data"),
        )
    trace, reason = text("return_trace"), text("return_reason")
    day = row.number("return_settlement_day") or 0
    if layout is layouts.DISHONOURED_RETURN:
        information = text("information")
        return OutgoingDishonour(text("return_code"), *start, trace, day, reason, information)
    if layout is layouts.CONTESTED_RETURN:
        return OutgoingContest(
            text("return_code"),
            *start,
            trace,
            day,
            reason,
            text("dishonoured_trace"),
            row.number("dishonoured_settlement_day") or 0,
            text("dishonoured_reason"),
            row.number("original_settlement_day") or 0,
            row.day("original_returned_on"),
        )
    message = f"Addenda of the type {row.type_code} are read but not written."
    raise WriteError("addenda-type", "addenda", message)


def outgoing_entry(entry: ParsedEntry) -> OutgoingEntry:
    """Return the entry as the writer takes it; raise WriteError for addenda it does not write."""
    return OutgoingEntry(
        transaction_code=entry.transaction_code,
        routing_number=entry.routing_number,
        account_number=entry.account_number,
        amount_cents=entry.amount_cents,
        identification=entry.identification,
        name=entry.name,
        trace_number=entry.trace_number,
        discretionary=entry.discretionary,
        addenda=tuple(map(_addenda, entry.addenda)),
    )


def _purpose(batch: ParsedBatch) -> Purpose:
    kinds = {entry.kind for entry in batch.entries}
    if kinds & _CHANGES:
        return Purpose.CHANGE
    if kinds - _PAYMENTS:
        return Purpose.RETURN
    row = reserved_description(batch.header.entry_description)
    return Purpose.PAYMENT if row is None or row.purpose is None else row.purpose


def outgoing_batch(batch: ParsedBatch) -> OutgoingBatch:
    """Return the batch as the writer takes it; an offset entry is an entry like the others."""
    header = batch.header
    if header.effective_on is None:
        message = "The effective date of the batch cannot be read."
        raise WriteError(
            "bad-date",
            "effective_on",
            message,
            batch_number=header.batch_number,
        )
    return OutgoingBatch(
        service_class=header.service_class,
        company_name=header.company_name,
        company_discretionary_data=header.company_discretionary_data,
        company_identification=header.company_identification,
        sec_code=header.sec_code,
        entry_description=header.entry_description,
        descriptive_date=header.descriptive_date,
        effective_on=header.effective_on,
        odfi_identification=header.odfi_identification,
        batch_number=header.batch_number,
        entries=map(outgoing_entry, batch.entries),
        purpose=_purpose(batch),
        settlement_day=header.settlement_day,
    )


def outgoing_file(file: ParsedFile) -> OutgoingFile:
    """Return the file as the writer takes it, so that writing it gives the bytes it came from.

    That holds for valid files of the classes PPD, CCD, CTX, WEB, TEL and COR whose names have
    no double blanks. Raises WriteError, at once or while the batches are written, for others.
    """
    header = file.header
    if header is None or header.created_at is None:
        message = "The file has no header with a date of creation."
        raise WriteError("missing", "created_at", message)
    return OutgoingFile(
        immediate_destination=header.immediate_destination,
        immediate_origin=header.immediate_origin,
        created_at=header.created_at,
        file_id_modifier=header.file_id_modifier,
        destination_name=header.destination_name,
        origin_name=header.origin_name,
        reference_code=header.reference_code,
        batches=map(outgoing_batch, file.batches),
    )
