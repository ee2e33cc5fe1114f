"""Tables of payments: trust accounts, instructions, runs, files, traces and the bank's inbox."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, JsonType, UtcDateTime, one_of
from seedtrust.domain.payments.states import (
    FIRST_CHECK_NUMBER,
    FIRST_PAYMENT_LIMIT_CENTS,
    MONEY_OUT,
    PULL_DAILY_LIMIT_CENTS,
    PULL_LIMIT_CENTS,
    CancellationState,
    CaseRail,
    CorrectionState,
    ExceptionReason,
    FileState,
    InstructionState,
    LimitChangeState,
    Rail,
    ReconciliationStatus,
    RunState,
)

SealedText = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


class TrustAccount(Base):
    """A real trust account at a bank, with everything the bank assigned to us as data."""

    __tablename__ = "trust_accounts"
    __table_args__ = (one_of("case_rail", CaseRail),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    code: Mapped[str] = mapped_column(Ascii(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    case_rail: Mapped[str] = mapped_column(Ascii(20))
    # Which line carries its payments: the code of an adapter, such as `filedrop`.
    bank_code: Mapped[str] = mapped_column(Ascii(20), default="filedrop", server_default="filedrop")
    bank_name: Mapped[str] = mapped_column(String(120))
    bank_account_ref: Mapped[str] = mapped_column(Ascii(60))
    routing_number: Mapped[str] = mapped_column(Ascii(9))
    last_four: Mapped[str] = mapped_column(Ascii(4))
    immediate_destination: Mapped[str] = mapped_column(Ascii(10))
    immediate_origin: Mapped[str] = mapped_column(Ascii(10))
    company_name: Mapped[str] = mapped_column(String(16))
    company_identification: Mapped[str] = mapped_column(Ascii(10))
    odfi_identification: Mapped[str] = mapped_column(Ascii(8))
    ach_cutoff_local: Mapped[str] = mapped_column(Ascii(5))
    wire_cutoff_local: Mapped[str] = mapped_column(Ascii(5))
    second_release_above_cents: Mapped[int | None] = mapped_column(CentsType)
    # What a person's changed account may get before a first payment has settled; NULL: no limit.
    first_payment_limit_cents: Mapped[int | None] = mapped_column(
        CentsType, default=FIRST_PAYMENT_LIMIT_CENTS, server_default=str(FIRST_PAYMENT_LIMIT_CENTS)
    )
    # What one e-check draws at most, and all of a case on one day; NULL: no limit.
    pull_limit_cents: Mapped[int | None] = mapped_column(
        CentsType, default=PULL_LIMIT_CENTS, server_default=str(PULL_LIMIT_CENTS)
    )
    pull_daily_limit_cents: Mapped[int | None] = mapped_column(
        CentsType, default=PULL_DAILY_LIMIT_CENTS, server_default=str(PULL_DAILY_LIMIT_CENTS)
    )
    # The number of the next check that is issued; given under the lock of this row.
    next_check_number: Mapped[int] = mapped_column(
        Integer, default=FIRST_CHECK_NUMBER, server_default=str(FIRST_CHECK_NUMBER)
    )
    next_trace: Mapped[int] = mapped_column(Integer, default=1)
    ledger_account_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    opened_on: Mapped[date] = mapped_column()


class PaymentRun(Base):
    """A set of instructions that is built by one person and released by another."""

    __tablename__ = "payment_runs"
    __table_args__ = (
        one_of("state", RunState),
        one_of("rail", Rail),
        Index(None, "state"),
        Index(None, "day_closed_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(ForeignKey("trust_accounts.id"))
    rail: Mapped[str] = mapped_column(Ascii(20))
    # "out" pays payees; "in" draws e-checks, whose rows are not payments.
    direction: Mapped[str] = mapped_column(Ascii(3), default=MONEY_OUT, server_default=MONEY_OUT)
    state: Mapped[str] = mapped_column(Ascii(20))
    # "account:rail" while the run is OPEN and NULL otherwise: two builders share one open run.
    open_key: Mapped[str | None] = mapped_column(Ascii(60), unique=True)
    effective_on: Mapped[date] = mapped_column()
    # The run's day, once the bank has said that it takes nothing more for it.
    day_closed_on: Mapped[date | None] = mapped_column()
    built_on: Mapped[date] = mapped_column()
    builder_user_id: Mapped[int | None] = mapped_column(BigInteger)
    builder_name: Mapped[str] = mapped_column(String(200))
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    content_hash: Mapped[str] = mapped_column(Ascii(64), default="")
    releaser_user_id: Mapped[int | None] = mapped_column(BigInteger)
    releaser_name: Mapped[str] = mapped_column(String(200), default="")
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    second_releaser_user_id: Mapped[int | None] = mapped_column(BigInteger)
    second_releaser_name: Mapped[str] = mapped_column(String(200), default="")
    transmitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_on: Mapped[date | None] = mapped_column()
    state_reason: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class PaymentInstruction(Base):
    """One payee, one amount, one rail, and a frozen snapshot of where it goes."""

    __tablename__ = "payment_instructions"
    __table_args__ = (
        one_of("state", InstructionState),
        one_of("rail", Rail),
        one_of("reconciliation_status", ReconciliationStatus),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("odfi_identification", "trace_number", "effective_on"),
        Index(None, "run_id", "position"),
        Index(None, "state"),
        Index(None, "case_id", "id"),
        Index(None, "request_id"),
        Index(None, "settled_on", "trust_account_id"),
        Index(None, "returned_on", "trust_account_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    # Holds the request's id while the payment is live and NULL after: never paid twice.
    live_request_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("payment_instructions.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    trust_account_id: Mapped[int] = mapped_column(ForeignKey("trust_accounts.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("payment_runs.id"))
    position: Mapped[int] = mapped_column(Integer)
    payee_id: Mapped[int] = mapped_column(ForeignKey("payees.id"))
    payee_account_id: Mapped[int] = mapped_column(ForeignKey("payee_accounts.id"))
    payee_name: Mapped[str] = mapped_column(String(120))
    account_fingerprint: Mapped[str] = mapped_column(Ascii(64))
    routing_number: Mapped[str] = mapped_column(Ascii(9))
    last_four: Mapped[str] = mapped_column(Ascii(4))
    rail: Mapped[str] = mapped_column(Ascii(20))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    # Who put it into the run: may not release it either.
    added_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Ascii(20))
    state_since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reconciliation_status: Mapped[str] = mapped_column(Ascii(20), default="unmatched")
    sec_code: Mapped[str] = mapped_column(Ascii(3), default="")
    entry_description: Mapped[str] = mapped_column(String(10), default="")
    addenda_text: Mapped[str] = mapped_column(String(80), default="")
    odfi_identification: Mapped[str] = mapped_column(Ascii(8), default="")
    trace_number: Mapped[str | None] = mapped_column(Ascii(15))
    effective_on: Mapped[date] = mapped_column()
    sent_on: Mapped[date | None] = mapped_column()
    settled_on: Mapped[date | None] = mapped_column()
    # The day on which the books took the money back: rejected, cancelled or returned.
    returned_on: Mapped[date | None] = mapped_column()
    returned_to_case: Mapped[bool] = mapped_column(Boolean, default=True)
    capture_txn_id: Mapped[int | None] = mapped_column(BigInteger)
    # The fence of one sender: a stalled one that wakes up finds another number and stops.
    send_attempt: Mapped[int] = mapped_column(Integer, default=0)
    lookup_misses: Mapped[int] = mapped_column(Integer, default=0)
    first_miss_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    return_code: Mapped[str] = mapped_column(Ascii(3), default="")
    bank_payment_ref: Mapped[str] = mapped_column(Ascii(80), default="")
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class PaymentInquiry(Base):
    """When the bank is asked next about a payment that it may or may not have."""

    __tablename__ = "payment_inquiries"
    __table_args__ = (Index(None, "next_ask_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("payment_instructions.id"), unique=True)
    unknown_since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked: Mapped[int] = mapped_column(Integer, default=0)
    resends: Mapped[int] = mapped_column(Integer, default=0)
    resent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # NULL once it is known what became of the payment.
    next_ask_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_answer: Mapped[str] = mapped_column(String(300), default="")


class UnsentConfirmation(Base):
    """One person's word that the bank does not have a payment, with how they know; two count."""

    __tablename__ = "unsent_confirmations"
    __table_args__ = (UniqueConstraint("instruction_id", "user_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("payment_instructions.id"))
    user_id: Mapped[int] = mapped_column(BigInteger)
    user_name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaymentCancellation(Base):
    """Somebody's wish that the bank stop a payment, and what the bank said to it."""

    __tablename__ = "payment_cancellations"
    __table_args__ = (one_of("state", CancellationState), Index(None, "instruction_id", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("payment_instructions.id"))
    # Holds the payment's id until the bank has said what became of it: one wish at a time.
    open_instruction_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    state: Mapped[str] = mapped_column(Ascii(20))
    reason: Mapped[str] = mapped_column(String(500))
    asked_by_user_id: Mapped[int] = mapped_column(BigInteger)
    asked_by_name: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answer: Mapped[str] = mapped_column(String(300), default="")
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RailStop(Base):
    """A rail of a bank on which nothing is sent until the stop is lifted."""

    __tablename__ = "rail_stops"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    bank: Mapped[str] = mapped_column(Ascii(20))
    rail: Mapped[str] = mapped_column(Ascii(20))
    # "bank:rail" while the stop holds and NULL once it is lifted: one stop at a time.
    open_key: Mapped[str | None] = mapped_column(Ascii(41), unique=True)
    reason: Mapped[str] = mapped_column(String(500))
    stopped_by_name: Mapped[str] = mapped_column(String(200))
    stopped_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_by_name: Mapped[str] = mapped_column(String(200), default="")
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RailChoice(Base):
    """Somebody's decision about the rail of a case, which the rule then leaves alone."""

    __tablename__ = "rail_choices"
    __table_args__ = (one_of("rail", CaseRail),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), unique=True)
    rail: Mapped[str] = mapped_column(Ascii(20))
    reason: Mapped[str] = mapped_column(String(500))
    chosen_by_name: Mapped[str] = mapped_column(String(200))
    chosen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BankCallRow(Base):
    """One call to a bank and how it went; no secret and no account number is in it."""

    __tablename__ = "bank_calls"
    __table_args__ = (Index(None, "reference", "id"), Index(None, "bank", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    bank: Mapped[str] = mapped_column(Ascii(20))
    verb: Mapped[str] = mapped_column(Ascii(40))
    reference: Mapped[str] = mapped_column(Ascii(80))
    outcome: Mapped[str] = mapped_column(Ascii(40))
    status: Mapped[int] = mapped_column(Integer)
    duration_ms: Mapped[int] = mapped_column(Integer)
    sentence: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebhookSubscription(Base):
    """Where a bank brings its events, and the secrets that sign them, sealed to this row."""

    __tablename__ = "webhook_subscriptions"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    bank: Mapped[str] = mapped_column(Ascii(20), unique=True)
    bank_ref: Mapped[str] = mapped_column(Ascii(80))
    url: Mapped[str] = mapped_column(String(300))
    secret_sealed: Mapped[str] = mapped_column(Text)
    # The secret before this one, as long as the bank signs with it as well; else empty.
    old_secret_sealed: Mapped[str] = mapped_column(Text, default="")
    old_until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    secret_since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Set before the bank is asked for a new secret: a crash then cannot lose track of it.
    rotating_since_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InstructionEvent(Base):
    """One step of a payment, with the bank's own word where it gave one."""

    __tablename__ = "instruction_events"
    __table_args__ = (Index(None, "instruction_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("payment_instructions.id"))
    from_state: Mapped[str | None] = mapped_column(Ascii(20))
    to_state: Mapped[str] = mapped_column(Ascii(20))
    bank_word: Mapped[str] = mapped_column(String(200), default="")
    actor_name: Mapped[str] = mapped_column(String(200))
    on_business_date: Mapped[date] = mapped_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class RunException(Base):
    """Something due that is not in the run, and why; nothing drops out silently."""

    __tablename__ = "run_exceptions"
    __table_args__ = (one_of("reason", ExceptionReason), UniqueConstraint("run_id", "request_id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("payment_runs.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    reason: Mapped[str] = mapped_column(Ascii(30))
    sentence: Mapped[str] = mapped_column(String(300))
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BankFile(Base):
    """A file for the bank: built once, byte for byte, sealed with its SHA-256."""

    __tablename__ = "bank_files"
    __table_args__ = (
        one_of("state", FileState),
        UniqueConstraint("immediate_origin", "immediate_destination", "created_on", "modifier"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("payment_runs.id"))
    # Holds the run's id while the file counts and NULL once it is discarded: one file per run.
    live_run_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    name: Mapped[str] = mapped_column(Ascii(60), unique=True)
    state: Mapped[str] = mapped_column(Ascii(20))
    immediate_origin: Mapped[str] = mapped_column(Ascii(10))
    immediate_destination: Mapped[str] = mapped_column(Ascii(10))
    created_on: Mapped[date] = mapped_column()
    modifier: Mapped[str] = mapped_column(Ascii(1))
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(Ascii(64), unique=True)
    # Hash of everything but the header's time and modifier: the same content never goes twice.
    content_key: Mapped[str | None] = mapped_column(Ascii(64), unique=True)
    content_sealed: Mapped[str] = mapped_column(SealedText)
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The fence of one sender: a stalled one that wakes up finds another number and stops.
    send_attempt: Mapped[int] = mapped_column(Integer, default=0)
    transmitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bank_file_ref: Mapped[str] = mapped_column(Ascii(80), default="")
    bank_word: Mapped[str] = mapped_column(String(500), default="")


class ControlTotal(Base):
    """The totals that the bank must be given beside each file."""

    __tablename__ = "control_totals"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("bank_files.id"), unique=True)
    batch_count: Mapped[int] = mapped_column(Integer)
    block_count: Mapped[int] = mapped_column(Integer)
    entry_addenda_count: Mapped[int] = mapped_column(Integer)
    entry_hash: Mapped[int] = mapped_column(BigInteger)
    debit_cents: Mapped[int] = mapped_column(CentsType)
    credit_cents: Mapped[int] = mapped_column(CentsType)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BankInboxItem(Base):
    """One thing that the bank told us, applied at most once."""

    __tablename__ = "bank_inbox"
    __table_args__ = (UniqueConstraint("source", "external_id"), Index(None, "applied_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(Ascii(40))
    external_id: Mapped[str] = mapped_column(Ascii(120))
    kind: Mapped[str] = mapped_column(Ascii(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JsonType)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(300), default="")


class BankCursor(Base):
    """How far the bank's ordered events have been read."""

    __tablename__ = "bank_cursors"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(Ascii(40), unique=True)
    after: Mapped[str] = mapped_column(Ascii(80), default="")
    link_healthy: Mapped[bool] = mapped_column(Boolean, default=True)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountCorrection(Base):
    """A notification of change: what a bank says is right about an account that we paid to."""

    __tablename__ = "account_corrections"
    __table_args__ = (
        one_of("state", CorrectionState),
        Index(None, "state", "due_on"),
        Index(None, "payee_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    # Keyed hash of payment, code and data: the same notification counts once, whatever its way.
    correction_key: Mapped[str] = mapped_column(Ascii(64), unique=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("payment_instructions.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("payees.id"))
    payee_account_id: Mapped[int] = mapped_column(ForeignKey("payee_accounts.id"))
    change_code: Mapped[str] = mapped_column(Ascii(3))
    corrected_sealed: Mapped[str] = mapped_column(Text)
    is_complete: Mapped[bool] = mapped_column(Boolean)
    is_aligned: Mapped[bool] = mapped_column(Boolean)
    # What may be shown of it; empty where it stays as it was.
    routing_number: Mapped[str] = mapped_column(Ascii(9), default="")
    last_four: Mapped[str] = mapped_column(Ascii(4), default="")
    account_type: Mapped[str] = mapped_column(Ascii(20), default="")
    name: Mapped[str] = mapped_column(String(40), default="")
    noted_on: Mapped[date] = mapped_column()
    received_on: Mapped[date] = mapped_column()
    due_on: Mapped[date] = mapped_column()
    state: Mapped[str] = mapped_column(Ascii(20))
    proposed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_by: Mapped[str] = mapped_column(String(200), default="")
    proposed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(500), default="")
    new_account_id: Mapped[int | None] = mapped_column(ForeignKey("payee_accounts.id"))
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class LimitChange(Base):
    """Another limit of first payments that one person proposed and another decided."""

    __tablename__ = "limit_changes"
    __table_args__ = (one_of("state", LimitChangeState),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(ForeignKey("trust_accounts.id"))
    # The same account while it waits: one change at a time.
    open_account_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    state: Mapped[str] = mapped_column(Ascii(20))
    before_cents: Mapped[int | None] = mapped_column(CentsType)
    after_cents: Mapped[int | None] = mapped_column(CentsType)
    reason: Mapped[str] = mapped_column(String(500))
    proposed_on: Mapped[date] = mapped_column()
    proposed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_by: Mapped[str] = mapped_column(String(200))
    decided_on: Mapped[date | None] = mapped_column()
    decided_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
