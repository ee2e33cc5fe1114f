"""What doors may show of statements and of the three-way proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.states import DayState, TransferKind


class ItemKind(StrEnum):
    """Why an item stands on the list below a proof."""

    PAYMENT_IN_TRANSIT = "payment_in_transit"
    TRANSFER_IN_TRANSIT = "transfer_in_transit"
    UNMATCHED_LINE = "unmatched_line"
    UNIDENTIFIED_DEPOSIT = "unidentified_deposit"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One thing that a person may want to look at: in transit, unmatched or unidentified.

    `amount_cents` is signed as on the bank account.
    """

    kind: ItemKind
    reference: str
    on: date
    amount_cents: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a column of the proof, in cents; `code` names what stands behind it."""

    code: str
    label: str
    cents: int


@dataclass(frozen=True, slots=True)
class Liability:
    """A part of what is owed beside the cases; assets that the company owes are negative."""

    code: str
    label: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """The proof of one trust account on a day: bank, book and owners, in cents.

    The statement of a day exists only on the next banking morning. `statement_on` says how far
    the bank itself speaks; `since_statement_cents` is what it has told by events after that.
    """

    trust_account_ref: str
    trust_account: str
    masked_number: str
    ach_cutoff_local: str
    wire_cutoff_local: str
    on: date
    statement_ref: str
    statement_on: date | None
    statement_imported_at: datetime | None
    statement_cents: int
    since_statement_cents: int
    deposits_in_transit_cents: int
    payments_in_transit_cents: int
    outstanding_checks_cents: int
    bank_cash_cents: int
    in_transit_cents: int
    cases_cents: int
    liabilities: tuple[Liability, ...]
    items: tuple[OpenItem, ...]

    def with_items(self, items: Iterable[OpenItem]) -> ThreeWay:
        """Return the same proof with the items behind it."""
        return replace(self, items=tuple(items))

    @property
    def bank(self) -> tuple[Part, ...]:
        """Return what makes up the adjusted balance of the bank."""
        return (
            Part("statement", "Statement", self.statement_cents),
            Part("since", "Told by the bank since", self.since_statement_cents),
            Part("deposits_in_transit", "Deposits on their way", self.deposits_in_transit_cents),
            Part("payments_in_transit", "Payments on their way", self.payments_in_transit_cents),
            Part("checks_outstanding", "Checks outstanding", self.outstanding_checks_cents),
        )

    @property
    def book(self) -> tuple[Part, ...]:
        """Return what makes up the balance of the book."""
        return (
            Part("bank_cash", "Cash at the bank", self.bank_cash_cents),
            Part("in_transit", "In transit", self.in_transit_cents),
            Part("checks_outstanding", "Checks outstanding", self.outstanding_checks_cents),
        )

    @property
    def owners(self) -> tuple[Part, ...]:
        """Return whose money it is: the cases and each other liability."""
        others = (Part(item.code, item.label, item.amount_cents) for item in self.liabilities)
        return (Part("case", "Cases", self.cases_cents), *others)

    @property
    def adjusted_bank_cents(self) -> int:
        """Return the adjusted balance of the bank."""
        return sum(part.cents for part in self.bank)

    @property
    def book_cents(self) -> int:
        """Return the balance of the book."""
        return sum(part.cents for part in self.book)

    @property
    def owners_cents(self) -> int:
        """Return what belongs to cases and others."""
        return sum(part.cents for part in self.owners)

    @property
    def difference_cents(self) -> int:
        """Return bank less book; the three agree when this and the other are zero."""
        return self.adjusted_bank_cents - self.book_cents

    @property
    def owners_difference_cents(self) -> int:
        """Return book less owners."""
        return self.book_cents - self.owners_cents

    @property
    def worst_difference_cents(self) -> int:
        """Return the larger of both differences; zero when all three agree."""
        return max(self.difference_cents, self.owners_difference_cents, key=abs)

    @property
    def agrees(self) -> bool:
        """Tell whether bank, book and owners are equal to the cent."""
        return self.difference_cents == 0 and self.owners_difference_cents == 0


@dataclass(frozen=True, slots=True)
class StatementView:
    """One statement as a line of a list."""

    reference: str
    trust_account: str
    as_of_on: date
    version_number: int
    is_current: bool
    file_name: str
    sha256: str
    opening_cents: int
    closing_cents: int
    lines: int
    unmatched: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class StatementLineView:
    """One line of a statement and what it belongs to."""

    number: int
    as_of_on: date
    type_code: str
    type_name: str
    amount_cents: int
    bank_reference: str
    customer_reference: str
    text: str
    status: ReconciliationStatus
    matched_type: str
    matched_ref: str
    match_rule: str
    statement_ref: str
    matched_by: str


@dataclass(frozen=True, slots=True)
class DayView:
    """The reconciliation of one day: its figures as they were kept, and who stands for them."""

    reference: str
    trust_account: str
    trust_account_ref: str
    on: date
    version_number: int
    is_current: bool
    state: DayState
    adjusted_bank_cents: int
    book_cents: int
    owners_cents: int
    items: int
    content_hash: str
    checked_at: datetime
    note: str
    prepared_by: str
    prepared_at: datetime | None
    prepared_by_user_id: int | None
    reviewed_by: str
    reviewed_at: datetime | None
    locked_by: str
    locked_at: datetime | None
    lock_hash: str
    stale_because: str

    @property
    def worst_difference_cents(self) -> int:
        """Return the larger of both differences; zero when all three agree."""
        differences = (
            self.adjusted_bank_cents - self.book_cents,
            self.book_cents - self.owners_cents,
        )
        return max(differences, key=abs)


@dataclass(frozen=True, slots=True)
class CaseShare:
    """What one case owns of a trust account on a day."""

    case_ref: str
    number: int
    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class TransferView:
    """A transfer that was ordered and that the bank's statement does not show yet."""

    reference: str
    trust_account: str
    kind: TransferKind
    amount_cents: int
    ordered_on: date
    ordered_by: str
