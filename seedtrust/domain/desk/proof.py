"""Bank = book = cases, for every trust account at once: five queries, whatever there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, union_all
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.queries import whole
from seedtrust.domain.ledger.totals import kinds_by_owner
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.reconciliation.models import BankStatement

_NOT_ARRIVED: Final = (DepositState.EXPECTED.value, DepositState.IN_PROCESS.value)
_BEGINNING: Final = date(1, 1, 1)
# What stands beside the cases among the owners; what the company owes to the trust counts down.
_LIABILITIES: Final = {
    AccountKind.UNIDENTIFIED_RECEIPTS: ("Unidentified receipts", 1),
    AccountKind.FEES_PAYABLE: ("Fees payable", 1),
    AccountKind.RETURNED_PAYMENTS: ("Returned payments", 1),
    AccountKind.DEPOSITS_IN_PROCESS: ("Deposits in process", 1),
    AccountKind.STALE_ITEMS: ("Stale items", 1),
    AccountKind.MIGRATION: ("Take-over", -1),
    AccountKind.SHORTAGE_RECEIVABLE: ("Shortage owed by the company", -1),
    AccountKind.BANK_CHARGES_RECOVERABLE: ("Bank charges owed by the company", -1),
}


@dataclass(frozen=True)
class Part:
    """One line of a column of the proof, in cents."""

    label: str
    cents: int


@dataclass(frozen=True)
class Proof:
    """One trust account on a day: what the bank, the book and the owners' ledgers say, in cents."""

    account_ref: str
    account: str
    masked_number: str
    ach_cutoff_local: str
    wire_cutoff_local: str
    on: date
    statement_ref: str
    statement_on: date | None
    imported_at: datetime | None
    bank: tuple[Part, ...]
    book: tuple[Part, ...]
    owners: tuple[Part, ...]

    @property
    def bank_cents(self) -> int:
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
        """Return the larger of both differences; zero when all three agree."""
        return max(self.bank_cents - self.book_cents, self.book_cents - self.owners_cents, key=abs)


def proofs(session: Session, actor: Actor, on: date) -> list[Proof]:
    """Return the proof of every trust account at the end of a day, by name of the account."""
    actor.require(Permission.BANK_ACCOUNTS_VIEW)
    latest = _latest(on).subquery()
    accounts = session.execute(
        select(TrustAccount, BankStatement)
        .outerjoin(latest, latest.c.account_id == TrustAccount.id)
        .outerjoin(
            BankStatement,
            and_(
                BankStatement.trust_account_id == TrustAccount.id,
                BankStatement.current_on == latest.c.day,
            ),
        )
        .order_by(TrustAccount.name)
    ).all()
    moved = _moved(session, on)
    cases = select(Case.ledger_account_id, Case.trust_account_id)
    cash = select(TrustAccount.ledger_account_id, TrustAccount.id)
    owned = union_all(cases, cash).subquery()
    sums = kinds_by_owner(session, select(owned.c[0], owned.c[1]), on)
    found: list[Proof] = []
    for account, statement in accounts:
        told, under_way = moved.get(account.id, (0, 0))
        found.append(_proof(account, statement, told, under_way, sums.get(account.id, {}), on))
    return found


def _latest(on: date) -> Select[int, date | None]:
    """Return the day of the latest statement that counts, by trust account."""
    row = BankStatement
    return (
        select(row.trust_account_id.label("account_id"), func.max(row.current_on).label("day"))
        .where(row.current_on <= on)
        .group_by(row.trust_account_id)
    )


def _moved(session: Session, on: date) -> dict[int, tuple[int, int]]:
    """Return what the bank told after its statement, and what is on its way, by trust account."""
    latest = _latest(on).subquery()
    deposit, row = Deposit, PaymentInstruction
    since: ColumnElement[date] = func.coalesce(latest.c.day, _BEGINNING)
    received = (
        select(deposit.trust_account_id, func.sum(deposit.amount_cents), func.sum(0))
        .outerjoin(latest, latest.c.account_id == deposit.trust_account_id)
        .where(
            deposit.received_on > since,
            deposit.received_on <= on,
            deposit.state.not_in(_NOT_ARRIVED),
        )
        .group_by(deposit.trust_account_id)
    )
    settled = and_(row.settled_on > since, row.settled_on <= on)
    returned = and_(row.settled_on.is_not(None), row.returned_on > since, row.returned_on <= on)
    gone = or_(row.settled_on <= on, and_(row.settled_on.is_(None), row.returned_on <= on))
    under_way = and_(row.sent_on.is_not(None), row.effective_on <= on, func.coalesce(gone, 0) == 0)
    paid = (
        select(
            row.trust_account_id,
            func.sum(
                case((returned, row.amount_cents), else_=0)
                - case((settled, row.amount_cents), else_=0)
            ),
            func.sum(case((under_way, row.amount_cents), else_=0)),
        )
        .outerjoin(latest, latest.c.account_id == row.trust_account_id)
        .group_by(row.trust_account_id)
    )
    found: dict[int, tuple[int, int]] = {}
    for account_id, told, transit in session.execute(union_all(received, paid)):
        known = found.get(account_id, (0, 0))
        found[account_id] = (known[0] + whole(told), known[1] + whole(transit))
    return found


def _proof(  # noqa: PLR0917 - the parts of one proof
    account: TrustAccount,
    statement: BankStatement | None,
    told_cents: int,
    under_way_cents: int,
    sums: dict[AccountKind, int],
    on: date,
) -> Proof:
    checks = sums.get(AccountKind.CHECKS_OUTSTANDING, 0)
    bank = (
        Part("Statement", 0 if statement is None else statement.closing_cents),
        Part("Told by the bank since", told_cents),
        Part("Payments on their way", -under_way_cents),
        Part("Checks outstanding", -checks),
    )
    book = (
        Part("Cash at the bank", sums.get(AccountKind.BANK_CASH, 0)),
        Part("In transit", sums.get(AccountKind.IN_TRANSIT, 0)),
        Part("Checks outstanding", -checks),
    )
    owners = (
        Part("Cases", sums.get(AccountKind.CASE, 0)),
        *(
            Part(label, sign * sums[kind])
            for kind, (label, sign) in _LIABILITIES.items()
            if sums.get(kind)
        ),
    )
    return Proof(
        account.reference,
        account.name,
        masked(account.last_four),
        account.ach_cutoff_local,
        account.wire_cutoff_local,
        on,
        "" if statement is None else statement.reference,
        None if statement is None else statement.as_of_on,
        None if statement is None else statement.imported_at,
        bank,
        book,
        owners,
    )
