"""What payments ask of a bank: a protocol, plain values, and errors by what the caller may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class BankError(Exception):
    """Something went wrong between us and the bank; `word` is what the bank said, if anything."""

    def __init__(self, sentence: str, *, word: str = "") -> None:
        """Keep the sentence for people and the bank's own word."""
        super().__init__(sentence)
        self.sentence = sentence
        self.word = word


class NotSent(BankError):
    """Nothing has reached the bank; the same call may be repeated."""


class Declined(BankError):
    """The bank refused; repeating it is of no use and a person decides."""


class CutoffPassed(Declined):
    """The bank takes it no more today; it needs another date."""


class AuthFailed(NotSent):
    """The bank does not know us; nothing was done."""


class OutcomeUnknown(BankError):
    """The bank may or may not have it: look it up, never send it again blindly."""


class BankStatus(StrEnum):
    """The bank's word for a payment or a file, in our vocabulary; ranks rise from the top."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    REJECTED = "rejected"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a bank promises about repeating and looking up."""

    lookup_is_consistent: bool
    lookup_consistent_after_seconds: int


@dataclass(frozen=True, slots=True)
class BankHealth:
    """Whether the bank answers, and how its business time stands."""

    ok: bool
    business_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class BankBalance:
    """What the bank holds on an account, in cents, and as of when."""

    ledger_cents: int
    available_cents: int
    as_of_on: date


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """One outgoing wire; `client_reference` is the instruction's reference for its whole life."""

    client_reference: str
    from_account: str
    amount_cents: int
    beneficiary_name: str
    routing_number: str
    account_number: str = field(repr=False)
    requested_on: date
    text: str = ""


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A payment as the bank knows it."""

    bank_ref: str
    client_reference: str
    amount_cents: int
    status: BankStatus
    word: str
    settled_on: date | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The control totals that go beside a file, amounts in cents."""

    batch_count: int
    entry_addenda_count: int
    entry_hash: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class FileUpload:
    """One sealed file on its way to the bank."""

    name: str
    content: bytes = field(repr=False)
    sha256: str
    client_reference: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file as the bank, or the folder that we share with it, knows it."""

    bank_ref: str
    sha256: str
    status: BankStatus
    word: str


@dataclass(frozen=True, slots=True)
class BankEvent:
    """One entry of the bank's ordered event log."""

    id: str
    kind: str
    business_on: date
    data: Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events after a cursor, oldest first, and the cursor to go on with."""

    events: tuple[BankEvent, ...]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that the bank left for us; another `version` means other content under the name."""

    name: str
    version: str


class Bank(Protocol):
    """A bank, seen from payments. Every call has time-outs and raises a BankError or returns."""

    def capabilities(self) -> Capabilities:
        """Return what the bank promises."""
        ...

    def health(self) -> BankHealth:
        """Tell whether the bank answers. Raises nothing: a dead bank is an answer."""
        ...

    def get_balance(self, account_ref: str, as_of_on: date | None = None) -> BankBalance:
        """Return an account's balance. Raises NotSent."""
        ...

    def create_payment(self, order: PaymentOrder) -> PaymentSnapshot:
        """Send a wire. Raises NotSent, Declined, CutoffPassed, AuthFailed, OutcomeUnknown."""
        ...

    def find_payment(self, client_reference: str) -> PaymentSnapshot | None:
        """Return the payment with our reference, or None. Raises NotSent."""
        ...

    def submit_file(
        self, upload: FileUpload, *, still_ours: Callable[[], bool]
    ) -> FileSnapshot | None:
        """Hand a file over; `still_ours` is asked immediately before the step that counts.

        None means that it was not ours any more and nothing was handed over. Raises NotSent,
        OutcomeUnknown.
        """
        ...

    def find_file(self, upload: FileUpload) -> FileSnapshot | None:
        """Return the file if the bank or the shared folder has these very bytes. Raises NotSent."""
        ...

    def list_events(self, after: str, *, limit: int = 100) -> EventPage:
        """Return the events after a cursor; an empty cursor is the beginning. Raises NotSent."""
        ...

    def list_inbound(self) -> tuple[InboundFile, ...]:
        """Return the files that the bank left for us, by name. Raises NotSent."""
        ...

    def download(self, name: str) -> bytes:
        """Return one of them whole. Raises NotSent."""
        ...


class SandboxControl(Protocol):
    """The strings of the bank simulator; there is nothing like it beside a real bank."""

    def move_clock(self, to: datetime) -> None:
        """Move the simulator's business time forward, through all that is due."""
        ...

    def scan(self) -> None:
        """Have the simulator look into the drop folder now."""
        ...
