"""What the writer is given: a file of batches of entries, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedtrust.formats.nacha.codes import Purpose, ServiceClass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class OutgoingAddenda:
    """One record of remittance text (05), at most 80 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class OutgoingReturn:
    """The addenda record (99) of a returned entry, as the receiving bank writes it.

    `original_routing` holds the eight leading digits of the bank that the original went to.
    """

    return_code: str
    original_trace: str
    original_routing: str
    information: str = ""
    died_on: date | None = None


@dataclass(frozen=True, slots=True)
class OutgoingChange:
    """The addenda record (98) of a notification of change, as the receiving bank writes it."""

    change_code: str
    original_trace: str
    original_routing: str
    corrected_data: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingDishonour:
    """The addenda record (99) by which the originator's bank dishonours a return."""

    return_code: str
    original_trace: str
    original_routing: str
    return_trace: str
    return_settlement_day: int
    return_reason: str
    information: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingContest:
    """The addenda record (99) by which the receiving bank contests a dishonoured return."""

    return_code: str
    original_trace: str
    original_routing: str
    return_trace: str
    return_settlement_day: int
    return_reason: str
    dishonoured_trace: str
    dishonoured_settlement_day: int
    dishonoured_reason: str
    original_settlement_day: int
    original_returned_on: date | None = None


@dataclass(frozen=True, slots=True)
class OutgoingRefusal:
    """The addenda record (98) by which the originator's bank refuses a change."""

    change_code: str
    original_trace: str
    original_routing: str
    refused_change_code: str
    change_trace_sequence: str
    corrected_data: str = field(default="", repr=False)


AnyAddenda = (
    OutgoingAddenda
    | OutgoingReturn
    | OutgoingChange
    | OutgoingDishonour
    | OutgoingContest
    | OutgoingRefusal
)


@dataclass(frozen=True, slots=True)
class OutgoingEntry:
    """One payment: routing number of nine digits, trace number of fifteen, amount in cents.

    The trace number's first eight digits are the batch's ODFI identification.
    """

    transaction_code: int
    routing_number: str
    account_number: str = field(repr=False)
    amount_cents: int
    identification: str
    name: str
    trace_number: str
    discretionary: str = ""
    addenda: tuple[AnyAddenda, ...] = ()


@dataclass(frozen=True, slots=True)
class Offset:
    """The account that a balanced batch is settled against, with the offset entry's trace number.

    `transaction_code` is the code of a debit to (or credit of) that account: 27 or 37 for a
    batch of credits, 22 or 32 for a batch of debits. The amount is computed as the batch closes.
    """

    transaction_code: int
    routing_number: str
    account_number: str = field(repr=False)
    trace_number: str
    name: str = "OFFSET"
    identification: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingBatch:
    """One batch. `entries` is read once, in the order of ascending trace numbers.

    `settlement_day` (day of the year) is blank in what an originator sends; a bank fills it.
    """

    service_class: ServiceClass | int
    company_name: str
    company_discretionary_data: str
    company_identification: str
    sec_code: str
    entry_description: str
    descriptive_date: str
    effective_on: date
    odfi_identification: str
    batch_number: int
    entries: Iterable[OutgoingEntry]
    purpose: Purpose = Purpose.PAYMENT
    offset: Offset | None = None
    settlement_day: int | None = None


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """One file. `created_at` is used as given, so it must be local wall time.

    `immediate_destination` is nine digits (a blank is put before them) or ten characters as the
    bank wants them, `immediate_origin` ten characters as the bank assigned them.
    """

    immediate_destination: str
    immediate_origin: str
    created_at: datetime
    file_id_modifier: str
    destination_name: str
    origin_name: str
    reference_code: str
    batches: Iterable[OutgoingBatch]


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """The file control record: what the bank wants confirmed, amounts in cents."""

    batch_count: int
    block_count: int
    entry_addenda_count: int
    entry_hash: int
    debit_cents: int
    credit_cents: int
