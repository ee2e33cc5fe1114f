"""The three-way proof and the bank's statements. Query counts never depend on row counts."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.ownership import own_balances, shares
from seedtrust.domain.ledger.queries import whole
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.domain.reconciliation.views import (
    ItemKind,
    Liability,
    OpenItem,
    StatementLineView,
    StatementView,
    ThreeWay,
)
from seedtrust.formats import bai2

_NOT_ARRIVED: Final = (DepositState.EXPECTED.value, DepositState.IN_PROCESS.value)
_LIABILITIES: Final = {
    AccountKind.UNIDENTIFIED_RECEIPTS: "Unidentified receipts",
    AccountKind.FEES_PAYABLE: "Fees payable",
    AccountKind.RETURNED_PAYMENTS: "Returned payments",
    AccountKind.DEPOSITS_IN_PROCESS: "Deposits in process",
    AccountKind.STALE_ITEMS: "Stale items",
    AccountKind.MIGRATION: "Take-over",
    AccountKind.SHORTAGE_RECEIVABLE: "Shortage owed by the company",
    AccountKind.BANK_CHARGES_RECOVERABLE: "Bank charges owed by the company",
}
# Assets among the owners' side: what the company owes to the trust.
_OWED_TO_TRUST: Final = frozenset(
    {
        AccountKind.MIGRATION,
        AccountKind.SHORTAGE_RECEIVABLE,
        AccountKind.BANK_CHARGES_RECOVERABLE,
    }
)
_BEGINNING: Final = date.min
_MAX_ITEMS: Final = 200


def three_way(
    session: Session, trust_account_id: int, on: date, *, with_items: bool = True
) -> ThreeWay:
    """Return the proof of a trust account at the end of a day, by effective date.

    Adjusted bank is the latest statement up to that day, what the bank's events have told since,
    and payments that should have settled and have not; book is bank cash and money in transit;
    owners are the account's cases and its part of every other trust liability. Without its items
    it costs five queries, with them eight. Raises NotFound.
    """
    account = session.get(TrustAccount, trust_account_id)
    if account is None:
        message = "There is no such trust account."
        raise NotFound(message)
    statement = _latest_statement(session, trust_account_id, on)
    statement_on = None if statement is None else statement.as_of_on
    statement_cents = 0 if statement is None else statement.closing_cents
    since, payments = _told_and_under_way(session, trust_account_id, statement_on, on)
    own = _own_accounts(account)
    owned, shared = own_balances(session, own, on), shares(session, own, on)
    liabilities = _liabilities(shared)
    cash, transit = owned.get(AccountKind.BANK_CASH, 0), shared.get(AccountKind.IN_TRANSIT, 0)
    checks = shared.get(AccountKind.CHECKS_OUTSTANDING, 0)
    cases = owned.get(AccountKind.CASE, 0)
    return ThreeWay(
        trust_account_ref=account.reference,
        trust_account=account.name,
        on=on,
        statement_ref="" if statement is None else statement.reference,
        statement_on=statement_on,
        statement_cents=statement_cents,
        since_statement_cents=since,
        deposits_in_transit_cents=0,
        payments_in_transit_cents=-payments,
        outstanding_checks_cents=-checks,
        adjusted_bank_cents=statement_cents + since - payments - checks,
        bank_cash_cents=cash,
        in_transit_cents=transit,
        book_cents=cash + transit - checks,
        cases_cents=cases,
        liabilities=liabilities,
        owners_cents=cases + sum(item.amount_cents for item in liabilities),
        items=tuple(_items(session, trust_account_id, on)) if with_items else (),
    )


def list_statements(
    session: Session,
    actor: Actor,
    *,
    trust_account_id: int | None = None,
    limit: int = 60,
) -> list[StatementView]:
    """Return the statements, the newest day first, superseded ones too."""
    actor.require(Permission.RECONCILIATION_VIEW)
    statement = _statement_rows().order_by(
        BankStatement.as_of_on.desc(), BankStatement.trust_account_id, BankStatement.id.desc()
    )
    if trust_account_id is not None:
        statement = statement.where(BankStatement.trust_account_id == trust_account_id)
    return [_statement(*row) for row in session.execute(statement.limit(limit)).all()]


def statement_view(
    session: Session, actor: Actor, reference: str
) -> tuple[StatementView, list[StatementLineView]]:
    """Return a statement with its lines. Raises NotFound."""
    actor.require(Permission.RECONCILIATION_VIEW)
    found = session.execute(
        _statement_rows().where(BankStatement.reference == reference)
    ).one_or_none()
    if found is None:
        message = "There is no such statement."
        raise NotFound(message)
    lines = session.execute(
        select(BankStatementLine)
        .where(BankStatementLine.statement_id == found[0].id)
        .order_by(BankStatementLine.number)
    ).scalars()
    return _statement(*found), [_line(line) for line in lines]


def unmatched_lines(session: Session, actor: Actor, *, limit: int = 100) -> list[StatementLineView]:
    """Return the lines of current statements that belong to nothing known, oldest first."""
    actor.require(Permission.RECONCILIATION_VIEW)
    rows = session.execute(
        select(BankStatementLine)
        .join(BankStatement, BankStatement.id == BankStatementLine.statement_id)
        .where(
            BankStatementLine.status == ReconciliationStatus.UNMATCHED.value,
            BankStatement.current_on.is_not(None),
        )
        .order_by(BankStatementLine.as_of_on, BankStatementLine.id)
        .limit(limit)
    ).scalars()
    return [_line(row) for row in rows]


def _latest_statement(session: Session, trust_account_id: int, on: date) -> BankStatement | None:
    return session.execute(
        select(BankStatement)
        .where(BankStatement.trust_account_id == trust_account_id, BankStatement.current_on <= on)
        .order_by(BankStatement.current_on.desc())
        .limit(1)
    ).scalar_one_or_none()


def _told_and_under_way(
    session: Session, trust_account_id: int, statement_on: date | None, on: date
) -> tuple[int, int]:
    """Return what the bank's events moved since its statement, and what is under way to it.

    The first is signed as at the bank. The second is what the books sent by the day and what had
    neither left the bank nor come back by then; a payment is under way from the day on which it
    is expected to settle, because the case's line carries that day.
    """
    deposit, row, after = Deposit, PaymentInstruction, statement_on or _BEGINNING
    received = select(literal("since"), func.sum(deposit.amount_cents)).where(
        deposit.trust_account_id == trust_account_id,
        deposit.received_on > after,
        deposit.received_on <= on,
        deposit.state.not_in(_NOT_ARRIVED),
    )

    def total(name: str, sign: int, *conditions: ColumnElement[bool]) -> Select[str, int]:
        return select(literal(name), sign * func.sum(row.amount_cents)).where(
            row.trust_account_id == trust_account_id, row.sent_on.is_not(None), *conditions
        )

    settled, came_back = row.settled_on <= on, row.returned_on <= on
    parts = union_all(
        received,
        total("since", -1, row.settled_on > after, settled),
        total("since", 1, row.settled_on.is_not(None), row.returned_on > after, came_back),
        total("under_way", 1, row.effective_on <= on),
        total("under_way", -1, settled),
        total("under_way", -1, row.settled_on.is_(None), came_back),
    )
    sums = {"since": 0, "under_way": 0}
    for name, cents in session.execute(parts):
        sums[name] += whole(cents)
    return sums["since"], sums["under_way"]


def _own_accounts(account: TrustAccount) -> Select[int]:
    cases = select(Case.ledger_account_id).where(Case.trust_account_id == account.id)
    cash = select(TrustAccount.ledger_account_id).where(TrustAccount.id == account.id)
    own = union_all(cases, cash).subquery()
    return select(own.c[0])


def _liabilities(shared: dict[AccountKind, int]) -> tuple[Liability, ...]:
    return tuple(
        Liability(kind.value, label, -shared[kind] if kind in _OWED_TO_TRUST else shared[kind])
        for kind, label in _LIABILITIES.items()
        if shared.get(kind)
    )


def _items(session: Session, trust_account_id: int, on: date) -> list[OpenItem]:
    row, line, deposit = PaymentInstruction, BankStatementLine, Deposit
    late = session.execute(
        select(row.reference, row.effective_on, row.amount_cents)
        .where(
            row.trust_account_id == trust_account_id,
            row.sent_on.is_not(None),
            row.effective_on <= on,
            or_(row.settled_on.is_(None), row.settled_on > on),
            or_(row.returned_on.is_(None), row.returned_on > on),
        )
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
    payments = [
        OpenItem(ItemKind.PAYMENT_IN_TRANSIT, reference, day, -cents, "Expected to have settled")
        for reference, day, cents in late
    ]
    lines = [OpenItem(ItemKind.UNMATCHED_LINE, *found) for found in open_lines]
    deposits = [OpenItem(ItemKind.UNIDENTIFIED_DEPOSIT, *found) for found in unidentified]
    return payments + lines + deposits


def _statement_rows() -> Select[BankStatement, str, int, int]:
    line = BankStatementLine
    count = (
        select(func.count())
        .where(line.statement_id == BankStatement.id)
        .correlate(BankStatement)
        .scalar_subquery()
    )
    unmatched = (
        select(func.count())
        .where(
            line.statement_id == BankStatement.id,
            line.status == ReconciliationStatus.UNMATCHED.value,
        )
        .correlate(BankStatement)
        .scalar_subquery()
    )
    return select(BankStatement, TrustAccount.name, count, unmatched).join(
        TrustAccount, TrustAccount.id == BankStatement.trust_account_id
    )


def _statement(row: BankStatement, account: str, lines: int, unmatched: int) -> StatementView:
    return StatementView(
        reference=row.reference,
        trust_account=account,
        as_of_on=row.as_of_on,
        version_number=row.version_number,
        is_current=row.current_on is not None,
        file_name=row.file_name,
        sha256=row.sha256,
        opening_cents=row.opening_cents,
        closing_cents=row.closing_cents,
        lines=lines,
        unmatched=unmatched,
        imported_at=row.imported_at,
    )


def _line(row: BankStatementLine) -> StatementLineView:
    return StatementLineView(
        number=row.number,
        as_of_on=row.as_of_on,
        type_code=row.type_code,
        type_name=bai2.name_of(row.type_code),
        amount_cents=row.amount_cents,
        bank_reference=row.bank_reference,
        customer_reference=row.customer_reference,
        text=row.text,
        status=ReconciliationStatus(row.status),
        matched_type=row.matched_type,
        matched_ref=row.matched_ref,
        match_rule=row.match_rule,
    )
