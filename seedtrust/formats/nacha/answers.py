"""Entries that answer other entries: returns, notifications of change, reversals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrust.formats.nacha.codes import (
    TRANSACTION_CODES,
    Meaning,
    Purpose,
    ServiceClass,
)
from seedtrust.formats.nacha.faults import WriteError
from seedtrust.formats.nacha.outgoing import (
    OutgoingBatch,
    OutgoingChange,
    OutgoingEntry,
    OutgoingReturn,
)
from seedtrust.formats.nacha.reasons import CHANGE_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from seedtrust.formats.nacha.outgoing import AnyAddenda
    from seedtrust.formats.nacha.parsed import ParsedEntry

_RETURNED_CREDIT = 1
_RETURNED_DEBIT = 6
_FLIPPED = {
    ServiceClass.CREDITS.value: ServiceClass.DEBITS,
    ServiceClass.DEBITS.value: ServiceClass.CREDITS,
    ServiceClass.MIXED.value: ServiceClass.MIXED,
}


def _answer(
    original: ParsedEntry,
    trace_number: str,
    amount_cents: int,
    reason: AnyAddenda,
) -> OutgoingEntry:
    code = original.transaction_code
    last = _RETURNED_DEBIT if original.is_debit else _RETURNED_CREDIT
    return OutgoingEntry(
        transaction_code=code - code % 10 + last,
        routing_number=original.routing_number,
        account_number=original.account_number,
        amount_cents=amount_cents,
        identification=original.identification,
        name=original.name,
        trace_number=trace_number,
        discretionary=original.discretionary,
        addenda=(reason,),
    )


def return_of(
    original: ParsedEntry,
    return_code: str,
    *,
    trace_number: str,
    information: str = "",
    died_on: date | None = None,
) -> OutgoingEntry:
    """Return the entry by which the receiving bank sends an entry back, with its amount.

    It goes into a batch with the purpose RETURN, whose other fields are those of the original
    batch and whose ODFI is the returning bank.
    """
    reason = OutgoingReturn(
        return_code,
        original.trace_number,
        original.routing_number[:8],
        information,
        died_on,
    )
    return _answer(original, trace_number, original.amount_cents, reason)


def change_of(
    original: ParsedEntry,
    change_code: str,
    corrected_data: str,
    *,
    trace_number: str,
) -> OutgoingEntry:
    """Return the entry by which the receiving bank announces a change; its amount is zero.

    It goes into a batch of class COR with the purpose CHANGE. See `corrected_data` for the text.
    """
    reason = OutgoingChange(
        change_code,
        original.trace_number,
        original.routing_number[:8],
        corrected_data,
    )
    return _answer(original, trace_number, 0, reason)


def corrected_data(change_code: str, **values: str) -> str:
    """Return corrected values as a notification of change carries them, each in its place.

    The names are those of the code's row in `CHANGE_CODES`. Raises ValueError if they differ.
    """
    row = CHANGE_CODES[change_code]
    if set(values) != set(row.corrects):
        message = f"{change_code} corrects {' and '.join(row.corrects) or 'nothing'}."
        raise ValueError(message)
    text = ""
    for name, start, length in row.places:
        text = f"{text:<{start}}{values[name]:<{length}}"
    return text.rstrip()


def _refusal(
    batch: OutgoingBatch,
    entry: OutgoingEntry,
    code: str,
    message: str,
) -> WriteError:
    return WriteError(
        code,
        "entries",
        message,
        batch_number=batch.batch_number,
        trace_number=entry.trace_number,
    )


def _reversals(
    batch: OutgoingBatch,
    trace_numbers: Iterable[str],
) -> Iterator[OutgoingEntry]:
    fresh = iter(trace_numbers)
    for entry in batch.entries:
        row = TRANSACTION_CODES.get(entry.transaction_code)
        if row is None or row.meaning is not Meaning.LIVE or row.reversed_by is None:
            message = "Only a live entry can be reversed, not a prenote or a return."
            raise _refusal(batch, entry, "not-reversible", message)
        trace_number = next(fresh, None)
        if trace_number is None:
            message = "There are fewer new trace numbers than entries to reverse."
            raise _refusal(batch, entry, "trace-missing", message)
        yield OutgoingEntry(
            transaction_code=row.reversed_by,
            routing_number=entry.routing_number,
            account_number=entry.account_number,
            amount_cents=entry.amount_cents,
            identification=entry.identification,
            name=entry.name,
            trace_number=trace_number,
            discretionary=entry.discretionary,
        )


def reversal_of(
    batch: OutgoingBatch,
    *,
    effective_on: date,
    batch_number: int,
    trace_numbers: Iterable[str],
) -> OutgoingBatch:
    """Return the batch that reverses another, with one new trace number for each entry.

    Class, company and amounts stay, transaction codes are flipped, the description is REVERSAL
    (Nacha rules on reversing entries and files; the reasons that allow one and the limit of
    five banking days are for the caller to check). To reverse some entries only, give a batch
    of those. Reading the entries raises WriteError at one that cannot be reversed.
    """
    service_class = batch.service_class
    number = service_class.value if isinstance(service_class, ServiceClass) else service_class
    return OutgoingBatch(
        service_class=_FLIPPED.get(number, number),
        company_name=batch.company_name,
        company_discretionary_data=batch.company_discretionary_data,
        company_identification=batch.company_identification,
        sec_code=batch.sec_code,
        entry_description="REVERSAL",
        descriptive_date=batch.descriptive_date,
        effective_on=effective_on,
        odfi_identification=batch.odfi_identification,
        batch_number=batch_number,
        entries=_reversals(batch, trace_numbers),
        purpose=Purpose.REVERSAL,
    )
