"""How far a case is on its way to its end: what stands in the way, the accounting, the refund."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Case
from seedtrust.domain.closing.accounting import Sums, sums_of
from seedtrust.domain.closing.models import FinalAccounting
from seedtrust.domain.closing.queries import (
    AccountingView,
    Obstacle,
    accounting_view,
    obstacles,
)
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import STATE_LABELS, STATE_TONES, RequestState


@dataclass(frozen=True)
class Refund:
    """The request that pays the rest back, in cents."""

    reference: str
    amount_cents: int
    label: str
    tone: str


@dataclass(frozen=True)
class Closing:
    """A case on its way to its end; `draft` holds the sums until an accounting is sent."""

    head: CaseHead
    accounting: AccountingView | None
    obstacles: tuple[Obstacle, ...]
    draft: Sums | None
    refund: Refund | None
    prepared_by_user_id: int | None


def closing_of(session: Session, actor: Actor, case_ref: str) -> Closing:
    """Return how far the closing of a case is. Nine queries at most. Raises NotFound."""
    case, head = held_case(session, actor, case_ref)
    accounting = accounting_view(session, actor, case_ref)
    if accounting is None:
        return Closing(
            head, None, tuple(obstacles(session, case)), sums_of(session, case), None, None
        )
    preparer, refund = _refund(session, case, accounting)
    return Closing(head, accounting, (), None, refund, preparer)


def _refund(
    session: Session, case: Case, accounting: AccountingView
) -> tuple[int | None, Refund | None]:
    found = session.execute(
        select(FinalAccounting.prepared_by_user_id, DisbursementRequest)
        .outerjoin(DisbursementRequest, DisbursementRequest.id == FinalAccounting.refund_request_id)
        .where(
            FinalAccounting.case_id == case.id,
            FinalAccounting.reference == accounting.reference,
        )
    ).one()
    preparer: int = found[0]
    request: DisbursementRequest | None = found[1]
    if request is None:
        return preparer, None
    state = RequestState(request.state)
    return preparer, Refund(
        request.reference,
        request.approved_cents or request.amount_cents,
        STATE_LABELS[state],
        STATE_TONES[state],
    )
