"""What a journey consists of, as frozen values that the player acts out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from seedtrust.core.bankdays import previous_banking_day
from seedtrust.domain.cases.funding_rules import FundingPolicy
from seedtrust.domain.cases.states import Stage

ACCOUNT_CLOSED: Final = "account_closed"
RETURN: Final = "return"
BOUNCED_DEPOSIT: Final = "bounced_deposit"
# Requests that are left open: nobody has reviewed them, or the parents have not answered.
UNREVIEWED: Final = "unreviewed"
UNANSWERED: Final = "unanswered"


@dataclass(frozen=True)
class BankAccount:
    """A bank account as a person writes it on a form."""

    routing_number: str
    account_number: str
    account_type: str
    bank_name: str


@dataclass(frozen=True)
class PartySpec:
    """A person of the case; `key` is how the rest of the file names them."""

    key: str
    role: str
    name: str
    email: str
    alias: str
    state: str
    account: BankAccount | None
    signs: bool
    certifies: bool


@dataclass(frozen=True)
class PayeeSpec:
    """A firm that is paid but does not sign in; `label` is what the parties read."""

    key: str
    name: str
    label: str
    account: BankAccount


@dataclass(frozen=True)
class CapSpec:
    """The most that a term pays in a period: cents, or hundredths of a unit."""

    period: str
    amount_cents: int | None
    quantity_hundredths: int | None
    unit: str


@dataclass(frozen=True)
class SpreadSpec:
    """How a scheduled term spreads over the calendar."""

    schedule: str
    times: int
    week: int | None
    last_trigger: str | None
    last_pay_after_days: int


@dataclass(frozen=True)
class TermSpec:
    """One clause of a contract; amounts in cents."""

    clause: str
    title: str
    category: str
    tax_class: str
    kind: str
    approver: str
    payee: str | None
    amount_cents: int | None
    cap_cents: int | None
    trigger: str | None
    pay_after_days: int
    spread: SpreadSpec
    caps: tuple[CapSpec, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class MilestoneSpec:
    """A dated event with its proof; recorded on `on`."""

    code: str
    on: date
    occurred_on: date
    proof: str
    embryo_days: int | None


@dataclass(frozen=True)
class DepositSpec:
    """A wire or a check from a party; one that does not name the case is matched by a person.

    `matched_on` is None for one that nobody has matched yet.
    """

    on: date
    amount_cents: int
    sender: str
    names_the_case: bool
    matched_on: date | None
    rail: str


@dataclass(frozen=True)
class LineSpec:
    """One item of a request; the day it is for and hundredths of a unit, if it names them."""

    description: str
    amount_cents: int
    on: date | None = None
    quantity_hundredths: int | None = None


@dataclass(frozen=True)
class QuestionSpec:
    """What the escrow asks about a request, and what its requester answers with which papers."""

    on: date
    text: str
    reply_on: date
    reply: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class RequestSpec:
    """A request as it was asked, and what people answered."""

    on: date
    requester: str
    payee: str
    category: str
    amount_cents: int
    description: str
    evidence: tuple[str, ...]
    lines: tuple[LineSpec, ...]
    reviewed_on: date
    approved_on: date
    approved_cents: int
    answer: str
    reason: str
    pay_on: date | None
    question: QuestionSpec | None


@dataclass(frozen=True)
class AccountChangeSpec:
    """A payee's new bank details: submitted, then checked, called back and approved on a day.

    Those that are not `approved` were given on that day and wait for somebody to check them.
    """

    on: date
    payee: str
    account: BankAccount
    submitted_on: date
    approved: bool


@dataclass(frozen=True)
class BankEventSpec:
    """Something that the bank does to a payee's account, a payment or a deposit on a date.

    A return names its payment by the payee and the day on which it settled, its category, or both;
    a bounced deposit is named by the day on which it came in.
    """

    on: date
    event: str
    payee: str | None
    code: str
    settled_on: date | None
    category: str | None
    deposit_on: date | None

    @property
    def acts_on(self) -> date:
        """Return the day on which the bank is set to work, so that the ledger shows it `on`."""
        return self.on if self.event == ACCOUNT_CLOSED else previous_banking_day(self.on)


@dataclass(frozen=True)
class ClosingSpec:
    """How the case ends."""

    obligations_ended_on: date
    accounting_on: date
    certified_on: date | None
    refund_to: str
    refund_on: date | None

    @property
    def steps(self) -> tuple[date, ...]:
        """Return the days of the steps that are taken, in their order."""
        steps = (self.obligations_ended_on, self.accounting_on, self.certified_on, self.refund_on)
        return tuple(day for day in steps if day is not None)


@dataclass(frozen=True)
class Journey:
    """One whole journey."""

    name: str
    kind: str
    number: int
    case_name: str
    rail: str
    anonymous: bool
    agency: str
    agency_account: BankAccount
    minimum_cents: int
    funding: FundingPolicy
    funding_required_cents: int
    all_parents_approve: bool
    opened_on: date
    escrow_agreement_on: date | None
    agreement_on: date | None
    parties: tuple[PartySpec, ...]
    payees: tuple[PayeeSpec, ...]
    terms: tuple[TermSpec, ...]
    milestones: tuple[MilestoneSpec, ...]
    deposits: tuple[DepositSpec, ...]
    requests: tuple[RequestSpec, ...]
    account_changes: tuple[AccountChangeSpec, ...]
    bank_events: tuple[BankEventSpec, ...]
    closing: ClosingSpec | None
    terminated_on: date | None
    cancelled_on: date | None
    until: date | None

    @property
    def days(self) -> frozenset[date]:
        """Return every day on which somebody in the file does something."""
        named = (
            self.opened_on,
            self.escrow_agreement_on,
            self.agreement_on,
            self.terminated_on,
            self.cancelled_on,
        )
        days = {day for day in named if day is not None}
        days |= {spec.on for spec in self.milestones}
        for deposit in self.deposits:
            days |= {deposit.on, deposit.matched_on or deposit.on}
        for event in self.bank_events:
            days |= {event.on, event.acts_on}
        for change in self.account_changes:
            days |= {change.submitted_on, change.on}
        for spec in self.requests:
            days |= {spec.on, spec.reviewed_on, spec.approved_on}
            if spec.question is not None:
                days |= {spec.question.on, spec.question.reply_on}
        if self.closing is not None:
            days |= set(self.closing.steps)
        return frozenset(days)

    @property
    def end_stage(self) -> Stage | None:
        """Return the stage that an approved refund leads to; None for a case that stays open.

        New bank details of the refund's payee that nobody has checked keep the refund waiting.
        """
        if self.closing is None or self.closing.refund_on is None:
            return None
        payee, asked_on = self.closing.refund_to, self.closing.refund_on
        waits = any(
            change.payee == payee and not change.approved and change.on <= asked_on
            for change in self.account_changes
        )
        return Stage.FINAL_DISBURSEMENT if waits else Stage.CLOSED

    @property
    def last_day(self) -> date:
        """Return the last day on which anybody in the file does something."""
        return max(self.days)
