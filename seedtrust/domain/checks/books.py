"""What checks do to the books: outstanding when issued, until the bank pays or they come back."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor
from seedtrust.domain.checks.models import Check
from seedtrust.domain.checks.states import CheckState
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.chart import AccountKind, BookCode
from seedtrust.domain.ledger.service import TxnKind
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import TrustAccount

SOURCE: Final = "check"
_CAME_BACK: Final = (CheckState.STOPPED.value, CheckState.VOIDED.value)


def issue(
    session: Session, actor: Actor, row: Check, request: DisbursementRequest, moment: Moment
) -> None:
    """Turn the reservation of a request into a check outstanding, on its issue day."""
    assert request.hold_id is not None, "a request in payment has its money reserved"
    captured = ledger.capture(
        session,
        actor,
        request.hold_id,
        amount_cents=row.amount_cents,
        key=f"check:{row.reference}",
        effective_on=moment.today,
        credit_account_id=_account(session, AccountKind.CHECKS_OUTSTANDING),
        kind=_line_kind(session, row, request),
        category=request.category,
        memo=f"Request {request.reference}",
        source_type=SOURCE,
        source_ref=row.reference,
        counterparty_ref=session.get_one(Payee, row.payee_id).reference,
        now=moment.at,
    )
    row.capture_txn_id = captured.txn_id


def present(
    session: Session, actor: Actor, row: Check, on: date, *, was_stale: bool, moment: Moment
) -> None:
    """Take a check that the bank has paid out of the bank's cash."""
    kind = AccountKind.STALE_ITEMS if was_stale else AccountKind.CHECKS_OUTSTANDING
    cash = session.get_one(TrustAccount, row.trust_account_id).ledger_account_id
    accounts = (_account(session, kind), cash)
    _move(session, actor, row, "presented", accounts, on, moment)


def make_stale(session: Session, actor: Actor, row: Check, moment: Moment) -> None:
    """Move the money of an old check to stale items, where it stays owed to the payee."""
    accounts = (
        _account(session, AccountKind.CHECKS_OUTSTANDING),
        _account(session, AccountKind.STALE_ITEMS),
    )
    _move(session, actor, row, "stale", accounts, moment.today, moment)


def reissue(session: Session, actor: Actor, row: Check, old: Check, moment: Moment) -> None:
    """Move a stale item to the check that takes its place.

    The source is the first check, whose case tells whose money it is.
    """
    accounts = (
        _account(session, AccountKind.STALE_ITEMS),
        _account(session, AccountKind.CHECKS_OUTSTANDING),
    )
    _move(session, actor, old, "reissued", accounts, moment.today, moment)
    row.capture_txn_id = old.capture_txn_id


def give_back(
    session: Session, actor: Actor, row: Check, request: DisbursementRequest, moment: Moment
) -> None:
    """Return the money of a stopped or void check to its case."""
    case_account = request_case_account(session, request)
    outstanding = _account(session, AccountKind.CHECKS_OUTSTANDING)
    ledger.transfer(
        session,
        actor,
        debit_account_id=outstanding,
        credit_account_id=case_account,
        amount_cents=row.amount_cents,
        kind=TxnKind.RETURN,
        key=f"check-back:{row.reference}",
        effective_on=moment.today,
        category=request.category,
        memo=f"Request {request.reference}",
        source_type=SOURCE,
        source_ref=row.reference,
        now=moment.at,
    )


def request_case_account(session: Session, request: DisbursementRequest) -> int:
    """Return the ledger account of a request's case."""
    return chart.account_id(session, BookCode.TRUST, chart.case_code(request.case_id))


def _line_kind(session: Session, row: Check, request: DisbursementRequest) -> TxnKind:
    came_back = session.execute(
        select(Check.id)
        .where(Check.request_id == row.request_id, Check.state.in_(_CAME_BACK))
        .limit(1)
    ).scalar_one_or_none()
    if came_back is not None:
        return TxnKind.REISSUE
    return TxnKind.SCHEDULED if request.kind == RequestKind.SCHEDULED else TxnKind.DISBURSEMENT


def _account(session: Session, kind: AccountKind) -> int:
    return chart.account_id(session, BookCode.TRUST, kind.value)


def _move(  # noqa: PLR0917 - which check moves between which accounts, and when
    session: Session,
    actor: Actor,
    row: Check,
    what: str,
    accounts: tuple[int, int],
    on: date,
    moment: Moment,
) -> None:
    ledger.transfer(
        session,
        actor,
        debit_account_id=accounts[0],
        credit_account_id=accounts[1],
        amount_cents=row.amount_cents,
        kind=TxnKind.CLEARANCE,
        key=f"check-{what}:{row.reference}",
        effective_on=on,
        memo=f"Check {row.number} {what}",
        source_type=SOURCE,
        source_ref=row.reference,
        now=moment.at,
    )
