"""Holding money for approved requests, and letting it go."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import InsufficientFunds
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.life import move, state_of
from seedtrust.domain.disbursements.models import DisbursementRequest, DisbursementStep
from seedtrust.domain.disbursements.states import RequestEvent, RequestState
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.terms.queries import money_out_allowed
from seedtrust.domain.terms.states import Category

INSUFFICIENT_KIND: Final = "request.insufficient"
STAGE_KIND: Final = "request.on_hold"


def amount_to_pay(request: DisbursementRequest) -> int:
    """Return what will be paid: the approved amount, in cents."""
    return request.approved_cents if request.approved_cents is not None else request.amount_cents


def reserve(
    session: Session, actor: Actor, case: Case, request: DisbursementRequest, *, moment: Moment
) -> DisbursementRequest:
    """Take an APPROVED request to READY by holding its money, or say why not.

    The caller holds the case's lock. Without cover the request becomes INSUFFICIENT, in a stage
    that lets no such money out it becomes ON_HOLD; both open an exception item.
    """
    if not _stage_allows(session, case, request):
        reason = "The case's stage does not allow this payment now."
        move(session, actor, request, RequestEvent.HOLD, reason=reason, moment=moment)
        _open(session, STAGE_KIND, request, reason, moment)
        return request
    amount = amount_to_pay(request)
    available = ledger_queries.balance_of(session, case.ledger_account_id).available_cents
    if available < amount:
        return _insufficient(session, actor, request, moment)
    try:
        request.hold_id = ledger.reserve(
            session,
            actor,
            case.ledger_account_id,
            amount,
            key=f"reserve:{request.reference}:{_reservations(session, request)}",
            effective_on=moment.today,
            source_type="request",
            source_ref=request.reference,
            now=moment.at,
        )
    except InsufficientFunds:
        return _insufficient(session, actor, request, moment)
    for kind in (INSUFFICIENT_KIND, STAGE_KIND):
        close_exceptions_of(session, kind, request.reference, closed_by=actor.name, now=moment.at)
    return move(session, actor, request, RequestEvent.RESERVE, amount_cents=amount, moment=moment)


def _stage_allows(session: Session, case: Case, request: DisbursementRequest) -> bool:
    # What the bank sent back is owed still: a late stage that opens nothing new lets it go again.
    returned = session.execute(
        select(DisbursementStep.id).where(
            DisbursementStep.request_id == request.id,
            DisbursementStep.event == RequestEvent.RETURN.value,
        )
    ).first()
    category = Category(request.category)
    return money_out_allowed(case, category, pays_again=returned is not None)


def _reservations(session: Session, request: DisbursementRequest) -> int:
    # Each reservation of a request has a key of its own, so a replay never takes an old hold.
    session.flush()  # the steps of this unit count too
    return len(
        session.execute(
            select(DisbursementStep.id).where(
                DisbursementStep.request_id == request.id,
                DisbursementStep.event.in_(
                    (RequestEvent.RESERVE.value, RequestEvent.LEAVE_RUN.value)
                ),
            )
        ).all()
    )


def _insufficient(
    session: Session, actor: Actor, request: DisbursementRequest, moment: Moment
) -> DisbursementRequest:
    reason = "The available balance of the case is too low."
    move(session, actor, request, RequestEvent.FIND_INSUFFICIENT, reason=reason, moment=moment)
    _open(session, INSUFFICIENT_KIND, request, reason, moment)
    return request


def _open(
    session: Session, kind: str, request: DisbursementRequest, reason: str, moment: Moment
) -> None:
    open_exception(
        session,
        kind,
        "request",
        request.reference,
        reason,
        case_id=request.case_id,
        occurrence=moment.at.isoformat(),
        now=moment.at,
    )


def let_go(session: Session, actor: Actor, request: DisbursementRequest, *, moment: Moment) -> None:
    """Release the hold of a request, if it has one."""
    if request.hold_id is not None:
        ledger.release_hold(
            session,
            actor,
            request.hold_id,
            key=f"release:{request.reference}:{request.hold_id}",
            now=moment.at,
        )
        request.hold_id = None


def free_reservations(
    session: Session, actor: Actor, case: Case, needed_cents: int, *, reason: str, moment: Moment
) -> int:
    """Put READY requests on hold, the newest first, until the case has this much available.

    The caller holds the case's lock. What lies in a payment run already is left alone. Returns
    how many requests were put on hold; each opens an exception item.
    """
    available = ledger_queries.balance_of(session, case.ledger_account_id).available_cents
    if available >= needed_cents:
        return 0
    ready = lock_where(
        session,
        select(DisbursementRequest)
        .where(
            DisbursementRequest.case_id == case.id,
            DisbursementRequest.state == RequestState.READY.value,
        )
        .order_by(DisbursementRequest.id.desc()),
    )
    freed = 0
    for request in ready:
        if available >= needed_cents:
            break
        available += amount_to_pay(request)
        let_go(session, actor, request, moment=moment)
        move(session, actor, request, RequestEvent.HOLD, reason=reason, moment=moment)
        _open(session, STAGE_KIND, request, reason, moment)
        freed += 1
    return freed


def recheck_case(session: Session, actor: Actor, case: Case, *, moment: Moment) -> int:
    """Try again to reserve what the case's balance or stage had kept back; oldest first.

    The caller holds the case's lock. Returns how many requests became READY.
    """
    waiting = lock_where(
        session,
        select(DisbursementRequest)
        .where(
            DisbursementRequest.case_id == case.id,
            DisbursementRequest.state.in_(
                (RequestState.INSUFFICIENT.value, RequestState.ON_HOLD.value)
            ),
        )
        .order_by(DisbursementRequest.id),
    )
    ready = 0
    for request in waiting:
        amount = amount_to_pay(request)
        balance = ledger_queries.balance_of(session, case.ledger_account_id)
        if balance.available_cents < amount or not _stage_allows(session, case, request):
            continue
        move(session, actor, request, RequestEvent.RECHECK, moment=moment)
        reserve(session, actor, case, request, moment=moment)
        ready += state_of(request) is RequestState.READY
    return ready


def fresh(session: Session, request_id: int) -> DisbursementRequest:
    """Lock a request that is known to exist and return it with fresh attributes."""
    request = lock(session, DisbursementRequest, request_id)
    if request is None:
        message = f"request {request_id} vanished"
        raise AssertionError(message)
    return request
