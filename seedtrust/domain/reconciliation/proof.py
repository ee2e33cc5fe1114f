"""The three-way proof: bank, book and owners of every trust account, by effective date.

No part of it grows with the history: the books' sums are rolled up by day, and payments and
deposits are read by the days since the bank's last statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.echecks.models import EcheckPull
from seedtrust.domain.funding.models import CheckClearance, Deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.ownership import accounts_owned_by, kinds_by_owner
from seedtrust.domain.ledger.queries import whole
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine, BankTransfer
from seedtrust.domain.reconciliation.views import ItemKind, Liability, OpenItem, ThreeWay

_NOT_ARRIVED: Final = (DepositState.EXPECTED.value, DepositState.IN_PROCESS.value)
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
_BEGINNING: Final = date.min
_MAX_ITEMS: Final = 200


@dataclass(frozen=True, slots=True)
class _Moved:
    """What moved at the bank after its statement, signed as there, and what is on its way to it."""

    since_cents: int = 0
    payments_cents: int = 0
    arriving_cents: int = 0


def three_way(
    session: Session, trust_account_id: int, on: date, *, with_items: bool = True
) -> ThreeWay:
    """Return the proof of a trust account at the end of a day, by effective date.

    Adjusted bank is the latest statement up to that day, what the bank's events have told since,
    and payments that should have settled and have not; book is bank cash and money in transit;
    owners are the account's cases and its part of every other trust liability. Without its items
    it costs three queries, with them seven. Raises NotFound.
    """
    found = _proofs(session, on, trust_account_id)
    if not found:
        message = "There is no such trust account."
        raise NotFound(message)
    return (
        found[0].with_items(open_items(session, trust_account_id, on)) if with_items else found[0]
    )


def three_ways(session: Session, actor: Actor, on: date) -> list[ThreeWay]:
    """Return the proof of every trust account at the end of a day, by name, without items.

    Three queries, whatever there is.
    """
    actor.require(Permission.BANK_ACCOUNTS_VIEW)
    return _proofs(session, on, None)


def owned_accounts(trust_account_id: int | None = None) -> Select[int, int]:
    """Return the ledger accounts that belong to one trust account alone, with its id."""
    cases = select(Case.ledger_account_id, Case.trust_account_id)
    cash = select(TrustAccount.ledger_account_id, TrustAccount.id)
    own = accounts_owned_by("trust_account")
    owned = union_all(cases, cash, own).subquery()
    found = select(owned.c[0], owned.c[1])
    return found if trust_account_id is None else found.where(owned.c[1] == trust_account_id)


def open_items(session: Session, trust_account_id: int, on: date) -> tuple[OpenItem, ...]:
    """Return what a person may want to look at on that day, the oldest of each kind first.

    Four queries; at most 200 items of a kind.
    """
    row, line, deposit = PaymentInstruction, BankStatementLine, Deposit
    late = session.execute(
        select(row.reference, row.effective_on, row.amount_cents)
        .where(*_under_way(trust_account_id, on))
        .order_by(row.effective_on, row.id)
        .limit(_MAX_ITEMS)
    )
    open_lines = session.execute(
        select(line.bank_reference, line.as_of_on, line.amount_cents, line.text)
        .join(BankStatement, BankStatement.id == line.statement_id)
        .where(
            line.trust_account_id == trust_account_id,
            line.as_of_on <= on,
            line.status == ReconciliationStatus.UNMATCHED.value,
            BankStatement.current_on.is_not(None),
        )
        .order_by(line.as_of_on, line.id)
        .limit(_MAX_ITEMS)
    )
    unidentified = session.execute(
        select(deposit.reference, deposit.received_on, deposit.amount_cents, deposit.text)
        .where(
            deposit.trust_account_id == trust_account_id,
            deposit.received_on <= on,
            deposit.state == DepositState.UNIDENTIFIED.value,
        )
        .order_by(deposit.received_on, deposit.id)
        .limit(_MAX_ITEMS)
    )
    payments = (
        OpenItem(ItemKind.PAYMENT_IN_TRANSIT, reference, day, -cents, "Expected to have settled")
        for reference, day, cents in late
    )
    ordered = session.execute(
        select(BankTransfer.reference, BankTransfer.ordered_on, BankTransfer.amount_cents)
        .where(*_ordered(trust_account_id, on))
        .order_by(BankTransfer.ordered_on, BankTransfer.id)
        .limit(_MAX_ITEMS)
    )
    transfers = (
        OpenItem(ItemKind.TRANSFER_IN_TRANSIT, reference, day, -cents, "Ordered at the bank")
        for reference, day, cents in ordered
    )
    lines = (OpenItem(ItemKind.UNMATCHED_LINE, *found) for found in open_lines)
    deposits = (OpenItem(ItemKind.UNIDENTIFIED_DEPOSIT, *found) for found in unidentified)
    return (*payments, *transfers, *lines, *deposits)


def _proofs(session: Session, on: date, trust_account_id: int | None) -> list[ThreeWay]:
    accounts = _accounts(session, on, trust_account_id)
    moved = _moved(session, on, accounts)
    sums = kinds_by_owner(session, owned_accounts(trust_account_id), on) if accounts else {}
    return [
        _proof(account, statement, moved[account.id], sums.get(account.id, {}), on)
        for account, statement in accounts
    ]


def _accounts(
    session: Session, on: date, trust_account_id: int | None
) -> list[tuple[TrustAccount, BankStatement | None]]:
    latest = (
        select(
            BankStatement.trust_account_id.label("account_id"),
            func.max(BankStatement.current_on).label("day"),
        )
        .where(BankStatement.current_on <= on)
        .group_by(BankStatement.trust_account_id)
        .subquery()
    )
    wanted = (
        select(TrustAccount, BankStatement)
        .outerjoin(latest, latest.c.account_id == TrustAccount.id)
        .outerjoin(
            BankStatement,
            and_(
                BankStatement.trust_account_id == TrustAccount.id,
                BankStatement.current_on == latest.c.day,
            ),
        )
        .order_by(TrustAccount.name, TrustAccount.id)
    )
    if trust_account_id is not None:
        wanted = wanted.where(TrustAccount.id == trust_account_id)
    return [(account, statement) for account, statement in session.execute(wanted)]


def _moved(
    session: Session, on: date, accounts: Sequence[tuple[TrustAccount, BankStatement | None]]
) -> dict[int, _Moved]:
    """Return what the bank told after its statement, and what is on its way to it, by account."""
    parts = [
        part
        for account, statement in accounts
        for part in _movements(
            account.id, _BEGINNING if statement is None else statement.as_of_on, on
        )
    ]
    sums: dict[tuple[int, str], int] = {}
    for account_id, name, cents in session.execute(union_all(*parts)) if parts else ():
        sums[account_id, name] = sums.get((account_id, name), 0) + whole(cents)
    return {
        account.id: _Moved(
            sums[account.id, "since"],
            sums[account.id, "under_way"],
            sums[account.id, "arriving"],
        )
        for account, _ in accounts
    }


def _movements(account_id: int, after: date, on: date) -> list[Select[int, str, int]]:
    deposit, row = Deposit, PaymentInstruction
    mine = row.trust_account_id == account_id
    received = select(literal(account_id), literal("since"), func.sum(deposit.amount_cents)).where(
        deposit.trust_account_id == account_id,
        deposit.received_on > after,
        deposit.received_on <= on,
        deposit.state.not_in(_NOT_ARRIVED),
    )

    bounced = (
        select(literal(account_id), literal("since"), -func.sum(deposit.amount_cents))
        .join(CheckClearance, CheckClearance.deposit_id == deposit.id)
        .where(
            deposit.trust_account_id == account_id,
            CheckClearance.returned_on > after,
            CheckClearance.returned_on <= on,
        )
    )

    def payments(name: str, sign: int, *conditions: ColumnElement[bool]) -> Select[int, str, int]:
        total = sign * func.sum(row.amount_cents)
        return select(literal(account_id), literal(name), total).where(*conditions)

    came_back = (row.returned_on > after, row.returned_on <= on, row.settled_on.is_not(None))
    return [
        received,
        bounced,
        payments("since", -1, mine, row.settled_on > after, row.settled_on <= on),
        payments("since", 1, mine, *came_back),
        payments("under_way", 1, *_under_way(account_id, on)),
        select(
            literal(account_id), literal("under_way"), func.sum(BankTransfer.amount_cents)
        ).where(*_ordered(account_id, on)),
        select(literal(account_id), literal("arriving"), func.sum(EcheckPull.amount_cents)).where(
            *_drawn(account_id, on)
        ),
    ]


def _under_way(account_id: int, on: date) -> tuple[ColumnElement[bool], ...]:
    """Tell which payments the books sent by the day and neither left the bank nor came back.

    A payment is under way from the day on which it is expected to settle, because the case's
    line carries that day.
    """
    row = PaymentInstruction
    return (
        row.trust_account_id == account_id,
        row.sent_on.is_not(None),
        row.effective_on <= on,
        or_(row.settled_on.is_(None), row.settled_on > on),
        or_(row.returned_on.is_(None), row.returned_on > on),
    )


def _ordered(account_id: int, on: date) -> tuple[ColumnElement[bool], ...]:
    """Tell which transfers were ordered by the day and neither made nor taken back by then."""
    row = BankTransfer
    return (
        row.trust_account_id == account_id,
        row.ordered_on <= on,
        or_(row.settled_on.is_(None), row.settled_on > on),
        or_(row.cancelled_on.is_(None), row.cancelled_on > on),
    )


def _drawn(account_id: int, on: date) -> tuple[ColumnElement[bool], ...]:
    """Tell which e-checks the bank had by the day and had neither settled nor refused by then."""
    row = EcheckPull
    return (
        row.trust_account_id == account_id,
        row.sent_on <= on,
        or_(row.settled_on.is_(None), row.settled_on > on),
        or_(row.ended_on.is_(None), row.ended_on > on),
    )


def _proof(
    account: TrustAccount,
    statement: BankStatement | None,
    moved: _Moved,
    sums: Mapping[AccountKind, int],
    on: date,
) -> ThreeWay:
    cash, transit = sums.get(AccountKind.BANK_CASH, 0), sums.get(AccountKind.IN_TRANSIT, 0)
    checks, cases = sums.get(AccountKind.CHECKS_OUTSTANDING, 0), sums.get(AccountKind.CASE, 0)
    statement_cents = 0 if statement is None else statement.closing_cents
    liabilities = tuple(
        Liability(kind.value, label, sign * sums[kind])
        for kind, (label, sign) in _LIABILITIES.items()
        if sums.get(kind)
    )
    return ThreeWay(
        trust_account_ref=account.reference,
        trust_account=account.name,
        masked_number=masked(account.last_four),
        ach_cutoff_local=account.ach_cutoff_local,
        wire_cutoff_local=account.wire_cutoff_local,
        on=on,
        statement_ref="" if statement is None else statement.reference,
        statement_on=None if statement is None else statement.as_of_on,
        statement_imported_at=None if statement is None else statement.imported_at,
        statement_cents=statement_cents,
        since_statement_cents=moved.since_cents,
        deposits_in_transit_cents=moved.arriving_cents,
        payments_in_transit_cents=-moved.payments_cents,
        outstanding_checks_cents=-checks,
        bank_cash_cents=cash,
        in_transit_cents=transit,
        cases_cents=cases,
        liabilities=liabilities,
        items=(),
    )
