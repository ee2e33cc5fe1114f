"""Reading deposits and what parents still have to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.funding.models import CheckClearance, Deposit, FundingRequest
from seedtrust.domain.funding.states import DepositState


@dataclass(frozen=True)
class FundingView:
    """A request for funds as the parties of a case read it, in cents."""

    id: int
    reference: str
    state: str
    reason: str
    amount_cents: int
    received_cents: int
    open_cents: int
    raised_on: date
    sent_on: date | None
    due_on: date | None
    short_on: date | None
    short_cents: int


@dataclass(frozen=True)
class ReceiptView:
    """A deposit as the parties of a case read it; `available_on` is when it can be spent."""

    id: int
    reference: str
    state: str
    rail: str
    amount_cents: int
    sender_name: str
    received_on: date
    available_on: date | None
    returned_on: date | None


def funding_requests_for(
    session: Session,
    actor: Actor,
    case_ref: str,
    *,
    after: int | None = None,
    limit: int = 50,
) -> list[FundingView]:
    """Return a page of what the parents of a case were asked for, the newest first.

    Drafts are for staff alone. Two queries. Raises Forbidden, NotFound out of scope.
    """
    case = case_for(session, actor, case_ref, Permission.LEDGER_VIEW)
    row = FundingRequest
    query = select(row).where(row.case_id == case.id)
    if not (actor.is_staff or actor.is_system):
        query = query.where(row.sent_on.is_not(None))
    if after is not None:
        query = query.where(row.id < after)
    found = session.execute(query.order_by(row.id.desc()).limit(limit)).scalars()
    return [
        FundingView(
            one.id,
            one.reference,
            one.state,
            one.reason,
            one.amount_cents,
            one.funded_cents,
            one.amount_cents - one.funded_cents,
            one.raised_on,
            one.sent_on,
            one.due_on,
            one.short_on,
            one.short_cents,
        )
        for one in found
    ]


def deposits_for(
    session: Session,
    actor: Actor,
    case_ref: str,
    *,
    after: int | None = None,
    limit: int = 50,
) -> list[ReceiptView]:
    """Return a page of what came in for a case, the newest first.

    Two queries. Raises Forbidden, NotFound out of scope.
    """
    case = case_for(session, actor, case_ref, Permission.LEDGER_VIEW)
    query = (
        select(Deposit, CheckClearance)
        .outerjoin(CheckClearance, CheckClearance.deposit_id == Deposit.id)
        .where(Deposit.case_id == case.id)
    )
    if after is not None:
        query = query.where(Deposit.id < after)
    found = session.execute(query.order_by(Deposit.id.desc()).limit(limit))
    return [_receipt(deposit, check) for deposit, check in found]


def _receipt(deposit: Deposit, check: CheckClearance | None) -> ReceiptView:
    available_on = deposit.matched_on or deposit.received_on
    if check is not None:
        available_on = max(check.collected_on or check.collects_on, available_on)
    returned = deposit.state == DepositState.RETURNED
    return ReceiptView(
        deposit.id,
        deposit.reference,
        deposit.state,
        deposit.rail,
        deposit.amount_cents,
        deposit.sender_name,
        deposit.received_on,
        None if returned else available_on,
        None if check is None else check.returned_on,
    )


@dataclass(frozen=True)
class DepositRow:
    """One receipt as staff see it."""

    reference: str
    case_ref: str | None
    case_number: int | None
    amount_cents: int
    state: str
    sender_name: str
    text: str
    received_on: date
    matched_on: date | None
    matched_by: str
    reconciliation_status: str


def list_deposits(
    session: Session,
    actor: Actor,
    *,
    state: DepositState | None = None,
    case_id: int | None = None,
    limit: int = 100,
) -> list[DepositRow]:
    """Return receipts, newest first, in one query."""
    actor.require(Permission.DEPOSITS_VIEW)
    query = select(Deposit, Case.reference, Case.number).outerjoin(Case, Case.id == Deposit.case_id)
    if state is not None:
        query = query.where(Deposit.state == state.value)
    if case_id is not None:
        query = query.where(Deposit.case_id == case_id)
    rows = session.execute(query.order_by(Deposit.id.desc()).limit(limit))
    return [
        DepositRow(
            deposit.reference,
            case_ref,
            number,
            deposit.amount_cents,
            deposit.state,
            deposit.sender_name,
            deposit.text,
            deposit.received_on,
            deposit.matched_on,
            deposit.matched_by,
            deposit.reconciliation_status,
        )
        for deposit, case_ref, number in rows
    ]


def collected_of(session: Session, case_id: int) -> int:
    """Return how many cents of deposits a case has received."""
    return int(
        session.execute(
            select(func.coalesce(func.sum(Deposit.amount_cents), 0)).where(
                Deposit.case_id == case_id,
                Deposit.state.in_((DepositState.RECEIVED.value, DepositState.COLLECTED.value)),
            )
        ).scalar_one()
    )
