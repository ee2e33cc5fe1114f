"""From payments to a NACHA file, and the proof that the file says what the payments say."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple

from seedtrust.core.clock import NEW_YORK
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.errors import FileDiffers
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun, TrustAccount
from seedtrust.formats.nacha import (
    Control,
    ControlTotals,
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingEntry,
    OutgoingFile,
    ParsedEntry,
    ParsedFile,
    ServiceClass,
    WriteError,
    fit_name,
    read_file,
    render_file,
)

# Credits to a checking and a savings account (Nacha Operating Rules, transaction codes).
_TRANSACTION_CODES: Final = {AccountType.CHECKING: 22, AccountType.SAVINGS: 32}
_REFERENCE_CODE_LENGTH: Final = 8
_TIME_AND_MODIFIER: Final = slice(29, 34)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where one payment goes, opened for the length of building a file."""

    account_type: AccountType
    account_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """The bytes of a file with its hash and control totals."""

    content: bytes = field(repr=False)
    sha256: str
    content_key: str
    totals: ControlTotals


class _Line(NamedTuple):
    """What one entry must say, taken from the payment or read back from the file."""

    trace_number: str
    transaction_code: int
    routing_number: str
    account_number: str
    amount_cents: int
    identification: str
    name: str
    sec_code: str
    entry_description: str
    effective_on: date | None
    company_identification: str
    discretionary_data: str
    remittance: tuple[str, ...]


def build(
    account: TrustAccount,
    run: PaymentRun,
    rows: Sequence[PaymentInstruction],
    receivers: Mapping[int, Receiver],
    *,
    modifier: str,
    created_at: datetime,
) -> BuiltFile:
    """Return the file of a run, written, strictly read back and compared with the payments.

    Raises FileDiffers for what a file cannot carry, if it has any fault, or if it says anything
    else than the payments.
    """
    try:
        content = render_file(_file(account, run, rows, receivers, modifier, created_at))
    except WriteError as error:
        raise _differs(run, f"The file cannot be written: {error}") from error
    parsed = read_file(io.BytesIO(content))
    totals = _prove(account, run, rows, receivers, parsed)
    return BuiltFile(content, sha256_of(content), content_key_of(content), totals)


def sha256_of(content: bytes) -> str:
    """Return the hash by which a file is known, here and at the bank."""
    return hashlib.sha256(content).hexdigest()


def _file(  # noqa: PLR0917 - one value per part of the header
    account: TrustAccount,
    run: PaymentRun,
    rows: Sequence[PaymentInstruction],
    receivers: Mapping[int, Receiver],
    modifier: str,
    created_at: datetime,
) -> OutgoingFile:
    return OutgoingFile(
        immediate_destination=account.immediate_destination,
        immediate_origin=account.immediate_origin,
        created_at=created_at.astimezone(NEW_YORK),
        file_id_modifier=modifier,
        destination_name=account.bank_name,
        origin_name=account.company_name,
        reference_code=run.reference[:_REFERENCE_CODE_LENGTH],
        batches=[
            _batch(account, run, number, batch, receivers)
            for number, batch in enumerate(_batches(rows), start=1)
        ],
    )


def _batches(rows: Iterable[PaymentInstruction]) -> list[list[PaymentInstruction]]:
    """Divide payments into batches by class and description, in order of their first payment."""
    batches: dict[tuple[str, str], list[PaymentInstruction]] = {}
    for row in rows:
        batches.setdefault((row.sec_code, row.entry_description), []).append(row)
    return list(batches.values())


def _batch(
    account: TrustAccount,
    run: PaymentRun,
    number: int,
    rows: Sequence[PaymentInstruction],
    receivers: Mapping[int, Receiver],
) -> OutgoingBatch:
    return OutgoingBatch(
        service_class=ServiceClass.CREDITS,
        company_name=account.company_name,
        company_discretionary_data=run.reference,
        company_identification=account.company_identification,
        sec_code=rows[0].sec_code,
        entry_description=rows[0].entry_description,
        descriptive_date="",
        effective_on=run.effective_on,
        odfi_identification=account.odfi_identification,
        batch_number=number,
        entries=[_entry(row, receivers[row.id]) for row in rows],
    )


def _entry(row: PaymentInstruction, receiver: Receiver) -> OutgoingEntry:
    assert row.trace_number is not None, "trace numbers are allocated before the file is built"
    return OutgoingEntry(
        transaction_code=_TRANSACTION_CODES[receiver.account_type],
        routing_number=row.routing_number,
        account_number=receiver.account_number,
        amount_cents=row.amount_cents,
        identification=row.reference,
        name=fit_name(row.payee_name),
        trace_number=row.trace_number,
        addenda=(OutgoingAddenda(row.addenda_text),) if row.addenda_text else (),
    )


def _prove(
    account: TrustAccount,
    run: PaymentRun,
    rows: Sequence[PaymentInstruction],
    receivers: Mapping[int, Receiver],
    parsed: ParsedFile,
) -> ControlTotals:
    fault = next((fault for fault in parsed.faults if not fault.is_warning), None)
    if fault is not None:
        raise _differs(run, f"The file has a fault: {fault.message}")
    meant = sorted(_meant(account, run, row, receivers[row.id]) for row in rows)
    written = sorted(_written(entry) for entry in parsed.entries)
    if meant != written:
        raise _differs(run, "An entry of the file is not what its payment says.")
    totals = control_totals(parsed.control)
    if totals is None or totals.debit_cents != 0:
        raise _differs(run, "The file has no control totals, or takes money instead of paying.")
    if totals.credit_cents != sum(row.amount_cents for row in rows):
        raise _differs(run, "The file's total is not the sum of the payments.")
    return totals


def _meant(
    account: TrustAccount, run: PaymentRun, row: PaymentInstruction, receiver: Receiver
) -> _Line:
    return _Line(
        trace_number=row.trace_number or "",
        transaction_code=_TRANSACTION_CODES[receiver.account_type],
        routing_number=row.routing_number,
        account_number=receiver.account_number,
        amount_cents=row.amount_cents,
        identification=row.reference,
        name=fit_name(row.payee_name),
        sec_code=row.sec_code,
        entry_description=row.entry_description,
        effective_on=row.effective_on,
        company_identification=account.company_identification,
        discretionary_data=run.reference,
        remittance=(row.addenda_text,) if row.addenda_text else (),
    )


def _written(entry: ParsedEntry) -> _Line:
    return _Line(
        trace_number=entry.trace_number,
        transaction_code=entry.transaction_code,
        routing_number=entry.routing_number,
        account_number=entry.account_number,
        amount_cents=entry.amount_cents,
        identification=entry.identification,
        name=entry.name,
        sec_code=entry.batch.sec_code,
        entry_description=entry.batch.entry_description,
        effective_on=entry.batch.effective_on,
        company_identification=entry.batch.company_identification,
        discretionary_data=entry.batch.company_discretionary_data,
        remittance=entry.remittance,
    )


def control_totals(control: Control | None) -> ControlTotals | None:
    """Return a file's control totals, None where one of them cannot be read."""
    if control is None:
        return None
    found = (
        control.batch_count,
        control.block_count,
        control.entry_addenda_count,
        control.entry_hash,
        control.debit_cents,
        control.credit_cents,
    )
    numbers = [number for number in found if number is not None]
    return ControlTotals(*numbers) if len(numbers) == len(found) else None


def content_key_of(content: bytes) -> str:
    """Return the hash of a file without its header's time and modifier (positions 30-34)."""
    blanked = bytearray(content)
    blanked[_TIME_AND_MODIFIER] = b" " * (_TIME_AND_MODIFIER.stop - _TIME_AND_MODIFIER.start)
    return hashlib.sha256(bytes(blanked)).hexdigest()


def _differs(run: PaymentRun, sentence: str) -> FileDiffers:
    message = f"{sentence} Nothing was sent. Tell an administrator before trying again."
    return FileDiffers(message, run=run.reference)
