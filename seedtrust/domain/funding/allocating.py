"""Matching money that came in to what parents were asked for, the oldest request first."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import WrongState
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import Deposit, FundingAllocation, FundingRequest
from seedtrust.domain.funding.states import (
    AWAITED,
    FUNDING_LABELS,
    FUNDING_STEPS,
    FundingState,
)
from seedtrust.domain.operations.service import close_exceptions_of

OVERDUE_KIND = "funding.overdue"
ESCALATED_KIND = "funding.escalated"


def step(
    session: Session,
    actor: Actor,
    row: FundingRequest,
    to: FundingState,
    *,
    reason: str = "",
    moment: Moment,
) -> None:
    """Move a request for funds one step of its life. Raises WrongState if there is no such step."""
    state = FundingState(row.state)
    if to not in FUNDING_STEPS[state]:
        message = (
            f"This request for funds is {FUNDING_LABELS[state].lower()}; it cannot become "
            f"{FUNDING_LABELS[to].lower()} from there."
        )
        raise WrongState(message, state=state.value)
    row.state = to.value
    row.closed_on = moment.today if to in {FundingState.FUNDED, FundingState.CANCELLED} else None
    record(
        session,
        actor,
        f"funding.{to.value.lower()}",
        "funding_request",
        row.reference,
        case_id=row.case_id,
        reason=reason,
        facts={"amount_cents": row.amount_cents, "funded_cents": row.funded_cents},
        now=moment.at,
    )


def awaited_of(session: Session, case_id: int) -> list[FundingRequest]:
    """Lock and return the requests that parents still owe something on, the oldest first."""
    return lock_where(
        session,
        select(FundingRequest)
        .where(
            FundingRequest.case_id == case_id,
            FundingRequest.state.in_([state.value for state in AWAITED]),
        )
        .order_by(FundingRequest.id),
    )


def allocate(
    session: Session, actor: Actor, case: Case, deposit: Deposit, *, moment: Moment
) -> int:
    """Count a deposit towards the requests for funds of its case; returns the cents that fitted.

    The caller holds the locks of case and deposit and calls this once for a deposit.
    """
    left = deposit.amount_cents
    for row in awaited_of(session, case.id):
        cents = min(left, row.amount_cents - row.funded_cents)
        if not cents:
            break
        session.add(
            FundingAllocation(
                id=new_id(),
                funding_request_id=row.id,
                deposit_id=deposit.id,
                amount_cents=cents,
                allocated_on=moment.today,
            )
        )
        left -= cents
        row.funded_cents += cents
        is_whole = row.funded_cents == row.amount_cents
        to = FundingState.FUNDED if is_whole else FundingState.PART_FUNDED
        if row.state != to:
            step(session, actor, row, to, moment=moment)
        nothing_to_chase(session, actor, row, moment)
    return deposit.amount_cents - left


def take_back(session: Session, actor: Actor, deposit: Deposit, *, moment: Moment) -> None:
    """Open again what a deposit had funded, because it bounced. The caller holds the locks."""
    parts = lock_where(
        session,
        select(FundingAllocation)
        .where(
            FundingAllocation.deposit_id == deposit.id,
            FundingAllocation.taken_back_on.is_(None),
        )
        .order_by(FundingAllocation.id),
    )
    for part in parts:
        part.taken_back_on = moment.today
        [row] = lock_where(
            session, select(FundingRequest).where(FundingRequest.id == part.funding_request_id)
        )
        row.funded_cents -= part.amount_cents
        to = FundingState.PART_FUNDED if row.funded_cents else FundingState.SENT
        if to in FUNDING_STEPS[FundingState(row.state)]:
            step(session, actor, row, to, reason="A deposit bounced.", moment=moment)


def nothing_to_chase(session: Session, actor: Actor, row: FundingRequest, moment: Moment) -> None:
    """Close what waits for a person because a request for funds was late."""
    for kind in (OVERDUE_KIND, ESCALATED_KIND):
        close_exceptions_of(session, kind, row.reference, closed_by=actor.name, now=moment.at)
