"""From e-checks to a NACHA file of debits, and the proof that it says what the e-checks say."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from seedtrust.core.clock import NEW_YORK
from seedtrust.domain.echecks.models import EcheckPull
from seedtrust.domain.echecks.states import RETRY_DESCRIPTION
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.achfile import (
    BuiltFile,
    Receiver,
    content_key_of,
    control_totals,
    sha256_of,
)
from seedtrust.domain.payments.errors import FileDiffers
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.formats.nacha import (
    OutgoingBatch,
    OutgoingEntry,
    OutgoingFile,
    ParsedEntry,
    Purpose,
    ServiceClass,
    WriteError,
    fit_name,
    read_file,
    render_file,
)

# Debits of a checking and a savings account (Nacha Operating Rules, transaction codes).
_TRANSACTION_CODES: Final = {AccountType.CHECKING: 27, AccountType.SAVINGS: 37}
# A WEB debit says whether it is one of a series; ours are asked for one by one.
_SINGLE: Final = "S"
_REFERENCE_CODE_LENGTH: Final = 8


class Drawn(NamedTuple):
    """One debit with the account that it draws on, opened for the length of building a file."""

    pull: EcheckPull
    holder_name: str
    routing_number: str
    receiver: Receiver


class _Line(NamedTuple):
    """What one entry must say, taken from the e-check or read back from the file."""

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
    discretionary_data: str


def build(
    account: TrustAccount,
    run: PaymentRun,
    drawn: Sequence[Drawn],
    *,
    modifier: str,
    created_at: datetime,
) -> BuiltFile:
    """Return the file of debits, written, strictly read back and compared with the e-checks.

    Raises FileDiffers for what a file cannot carry, if it has any fault, if it says anything else
    than the e-checks, or if it would pay instead of drawing.
    """
    file = OutgoingFile(
        immediate_destination=account.immediate_destination,
        immediate_origin=account.immediate_origin,
        created_at=created_at.astimezone(NEW_YORK),
        file_id_modifier=modifier,
        destination_name=account.bank_name,
        origin_name=account.company_name,
        reference_code=run.reference[:_REFERENCE_CODE_LENGTH],
        batches=[
            _batch(account, run, number, key, rows)
            for number, (key, rows) in enumerate(_batches(drawn).items(), start=1)
        ],
    )
    try:
        content = render_file(file)
    except WriteError as error:
        raise _differs(run, f"The file cannot be written: {error}") from error
    parsed = read_file(io.BytesIO(content))
    fault = next((fault for fault in parsed.faults if not fault.is_warning), None)
    if fault is not None:
        raise _differs(run, f"The file has a fault: {fault.message}")
    if sorted(_meant(run, one) for one in drawn) != sorted(map(_written, parsed.entries)):
        raise _differs(run, "An entry of the file is not what its e-check says.")
    totals = control_totals(parsed.control)
    cents = sum(one.pull.amount_cents for one in drawn)
    if totals is None or (totals.debit_cents, totals.credit_cents) != (cents, 0):
        raise _differs(run, "The file's totals are not the sum of the e-checks.")
    return BuiltFile(content, sha256_of(content), content_key_of(content), totals)


def _batches(drawn: Iterable[Drawn]) -> Mapping[tuple[str, str], list[Drawn]]:
    """Divide debits by class and description: what is presented again has a batch of its own."""
    batches: dict[tuple[str, str], list[Drawn]] = {}
    for one in drawn:
        batches.setdefault((one.pull.sec_code, one.pull.entry_description), []).append(one)
    return batches


def _batch(
    account: TrustAccount, run: PaymentRun, number: int, key: tuple[str, str], rows: list[Drawn]
) -> OutgoingBatch:
    sec_code, description = key
    return OutgoingBatch(
        service_class=ServiceClass.DEBITS,
        company_name=account.company_name,
        company_discretionary_data=run.reference,
        company_identification=account.company_identification,
        sec_code=sec_code,
        entry_description=description,
        descriptive_date="",
        effective_on=run.effective_on,
        odfi_identification=account.odfi_identification,
        batch_number=number,
        entries=[_entry(one) for one in rows],
        purpose=Purpose.RETRY if description == RETRY_DESCRIPTION else Purpose.PAYMENT,
    )


def _entry(one: Drawn) -> OutgoingEntry:
    assert one.pull.trace_number is not None, "trace numbers are allocated before the file is built"
    return OutgoingEntry(
        transaction_code=_TRANSACTION_CODES[one.receiver.account_type],
        routing_number=one.routing_number,
        account_number=one.receiver.account_number,
        amount_cents=one.pull.amount_cents,
        identification=one.pull.reference,
        name=fit_name(one.holder_name),
        trace_number=one.pull.trace_number,
        discretionary=_SINGLE if one.pull.sec_code == "WEB" else "",
    )


def _meant(run: PaymentRun, one: Drawn) -> _Line:
    return _Line(
        trace_number=one.pull.trace_number or "",
        transaction_code=_TRANSACTION_CODES[one.receiver.account_type],
        routing_number=one.routing_number,
        account_number=one.receiver.account_number,
        amount_cents=one.pull.amount_cents,
        identification=one.pull.reference,
        name=fit_name(one.holder_name),
        sec_code=one.pull.sec_code,
        entry_description=one.pull.entry_description,
        effective_on=run.effective_on,
        discretionary_data=run.reference,
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
        discretionary_data=entry.batch.company_discretionary_data,
    )


def _differs(run: PaymentRun, sentence: str) -> FileDiffers:
    message = f"{sentence} Nothing was sent. Tell an administrator before trying again."
    return FileDiffers(message, run=run.reference)
