"""What doors may show of statements and of the three-way proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from seedtrust.domain.payments.states import ReconciliationStatus


class ItemKind(StrEnum):
    """Why an item stands on the list below a proof."""

    PAYMENT_IN_TRANSIT = "payment_in_transit"
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
    on: date
    statement_ref: str
    statement_on: date | None
    statement_cents: int
    since_statement_cents: int
    deposits_in_transit_cents: int
    payments_in_transit_cents: int
    outstanding_checks_cents: int
    adjusted_bank_cents: int
    bank_cash_cents: int
    in_transit_cents: int
    book_cents: int
    cases_cents: int
    liabilities: tuple[Liability, ...]
    owners_cents: int
    items: tuple[OpenItem, ...]

    @property
    def difference_cents(self) -> int:
        """Return bank less book; the three agree when this and the other are zero."""
        return self.adjusted_bank_cents - self.book_cents

    @property
    def owners_difference_cents(self) -> int:
        """Return book less owners."""
        return self.book_cents - self.owners_cents

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
