"""Reading deposits and what parents still have to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import DepositState


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
