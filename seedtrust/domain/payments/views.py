"""What doors may show of payments: frozen, masked, with their words and what may be done next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from seedtrust.domain.payments.states import (
    ExceptionReason,
    FileState,
    InstructionState,
    Rail,
    ReconciliationStatus,
    RunState,
)


@dataclass(frozen=True, slots=True)
class TrustAccountView:
    """One trust account, its number masked."""

    id: int
    reference: str
    code: str
    name: str
    bank_name: str
    masked_number: str
    case_rail: str
    ach_cutoff_local: str
    wire_cutoff_local: str
    second_release_above_cents: int | None
    first_payment_limit_cents: int | None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as a line of a list; totals in cents, without what was taken out again."""

    reference: str
    trust_account: str
    rail: Rail
    state: RunState
    state_label: str
    state_tone: str
    effective_on: date
    built_on: date
    builder_name: str
    releaser_name: str
    second_releaser_name: str
    released_at: datetime | None
    transmitted_at: datetime | None
    settled_on: date | None
    payments: int
    total_cents: int
    exceptions: int


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment, its account masked."""

    reference: str
    run_ref: str
    request_ref: str
    case_ref: str
    case_number: int
    payee_ref: str
    payee_name: str
    routing_number: str
    masked_number: str
    rail: Rail
    amount_cents: int
    state: InstructionState
    state_label: str
    state_tone: str
    reconciliation_status: ReconciliationStatus
    sec_code: str
    entry_description: str
    addenda_text: str
    trace_number: str
    effective_on: date
    settled_on: date | None
    returned_on: date | None
    return_code: str
    category: str


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """Something due that is not in a run, and why."""

    request_ref: str
    case_ref: str
    case_number: int
    payee_name: str
    amount_cents: int
    reason: ExceptionReason
    reason_label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class FileView:
    """The file of a run with its control totals."""

    reference: str
    name: str
    state: FileState
    created_on: date
    modifier: str
    size_bytes: int
    sha256: str
    sealed_at: datetime
    transmitted_at: datetime | None
    bank_file_ref: str
    bank_word: str
    batch_count: int
    entry_addenda_count: int
    entry_hash: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with everything in it; `content_hash` is what a releaser agrees to."""

    summary: RunSummary
    content_hash: str
    state_reason: str
    locked_at: datetime | None
    second_releaser_needed: bool
    goes_by_file: bool
    payments: tuple[PaymentView, ...]
    exceptions: tuple[ExceptionView, ...]
    file: FileView | None
    may_lock: bool
    may_reopen: bool
    may_release: bool
    may_cancel: bool


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a payment's timeline, with the bank's own word."""

    to_state: InstructionState
    label: str
    tone: str
    bank_word: str
    actor_name: str
    on_business_date: date
    at: datetime


@dataclass(frozen=True, slots=True)
class BankLink:
    """Whether the bank answered when we last asked."""

    healthy: bool
    read_at: datetime | None
