"""What payments ask of a bank: a protocol, plain values, and errors by what the caller may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol


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


class ProtocolError(OutcomeUnknown):
    """The bank answered what cannot be: another amount, a word that we do not know.

    Money stays reserved as for any unclear outcome, and a person is told.
    """


class NotSupported(BankError):
    """This bank has no such call; nothing was done."""


class BankStatus(StrEnum):
    """The bank's word for a payment or a file, in our vocabulary; ranks rise from the top."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    IN_REVIEW = "in_review"
    SENT = "sent"
    SETTLED = "settled"
    RETURNED = "returned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ATTENTION = "attention"


# What the business calls the banks that an installation speaks to; a trust account names one.
FILE_DROP: Final = "filedrop"
HUNTINGTON: Final = "huntington"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a bank promises about repeating and looking up, and what it can do at all."""

    lookup_is_consistent: bool
    lookup_consistent_after_seconds: int
    # The same reference again, with the same content, is the same payment, however late it comes.
    recognises_repeats: bool = False
    takes_files: bool = True
    has_webhooks: bool = False
    can_cancel: bool = False


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
    """One outgoing payment; `client_reference` is the instruction's reference for all its life.

    The fields from `account_type` on matter to ACH credits alone.
    """

    client_reference: str
    from_account: str
    amount_cents: int
    beneficiary_name: str
    routing_number: str
    account_number: str = field(repr=False)
    requested_on: date
    text: str = ""
    rail: str = "wire"
    account_type: str = "checking"
    party_kind: str = "person"
    sec_code: str = ""
    entry_description: str = ""
    company_identification: str = ""


@dataclass(frozen=True, slots=True)
class ReturnNotice:
    """Why and when the receiving bank sent a payment back."""

    code: str
    returned_on: date
    trace_number: str = ""


@dataclass(frozen=True, slots=True)
class CorrectionNotice:
    """What the receiving bank wants to be written differently next time."""

    code: str
    corrected_data: str = field(repr=False)
    noted_on: date


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A payment as the bank knows it; `reason` is why it was refused or is held."""

    bank_ref: str
    client_reference: str
    amount_cents: int
    status: BankStatus
    word: str
    settled_on: date | None = None
    reason: str = ""
    rail: str = ""
    trace_number: str = ""
    imad: str = ""
    returned: ReturnNotice | None = None
    corrections: tuple[CorrectionNotice, ...] = ()


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
    bank: str = FILE_DROP


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


@dataclass(frozen=True, slots=True)
class BankCall:
    """One call to a bank as the log keeps it: no secret, no account number.

    `outcome` is `ok` or the name of the error, `status` the HTTP status or 0 without an answer.
    """

    bank: str
    verb: str
    reference: str
    outcome: str
    status: int
    duration_ms: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a bank brings its events; `secret` is told once, when it is made."""

    bank_ref: str
    url: str
    secret: str = field(default="", repr=False)


# Called after every call, outside of any unit of work.
CallLog = Callable[[BankCall], None]


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
        """Send a payment.

        Raises NotSent, Declined, CutoffPassed, AuthFailed, OutcomeUnknown, ProtocolError.
        """
        ...

    def find_payment(self, client_reference: str) -> PaymentSnapshot | None:
        """Return the payment with our reference, or None.

        Raises NotSent, ProtocolError, NotSupported where the bank cannot be asked.
        """
        ...

    def cancel_payment(self, bank_ref: str) -> PaymentSnapshot:
        """Ask the bank to stop a payment that it has not sent on; again is the same answer.

        Raises Declined when it is too late, NotSent, OutcomeUnknown, ProtocolError, NotSupported.
        """
        ...

    def list_subscriptions(self) -> tuple[Subscription, ...]:
        """Return where the bank brings its events, without secrets.

        Raises NotSent, NotSupported.
        """
        ...

    def subscribe(self, url: str) -> Subscription:
        """Have events brought to an address. Raises NotSent, OutcomeUnknown, Declined."""
        ...

    def rotate_secret(self, bank_ref: str, *, keep_seconds: int) -> Subscription:
        """Return a subscription with a new secret; the old one signs as well for a while.

        Raises NotSent, OutcomeUnknown, Declined.
        """
        ...

    def unsubscribe(self, bank_ref: str) -> None:
        """Bring nothing more there; again changes nothing. Raises NotSent."""
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

    def leave_checks(self, name: str, content: bytes) -> None:
        """Tell which checks may be paid; the same file again changes nothing.

        Raises NotSent, NotSupported where a bank takes no such file.
        """
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
