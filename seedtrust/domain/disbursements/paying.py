"""What payments do to requests, and what the calendar makes of schedule items."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements import telling
from seedtrust.domain.disbursements.life import move
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reservation import amount_to_pay, let_go, reserve
from seedtrust.domain.disbursements.states import RequestEvent, RequestKind, RequestState
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.plans import spreads_of
from seedtrust.domain.terms.queries import category_is_unlocked, money_out_allowed
from seedtrust.domain.terms.schedule import item_title
from seedtrust.domain.terms.states import Category, ItemState

SCHEDULE_KIND = "schedule.not_materialised"


def mark_in_payment(
    session: Session, actor: Actor, request: DisbursementRequest, *, moment: Moment
) -> None:
    """Take a READY request into a run. The caller holds its lock."""
    move(session, actor, request, RequestEvent.ADD_TO_RUN, moment=moment)


def leave_run(
    session: Session,
    actor: Actor,
    request: DisbursementRequest,
    *,
    reason: str,
    money_came_back: bool = False,
    moment: Moment,
) -> None:
    """Take a request out of its run, back to READY.

    When the money had left the case and came back, it is reserved again in the same unit.
    """
    if money_came_back:
        case = _case(session, request)
        request.hold_id = ledger.reserve(
            session,
            actor,
            case.ledger_account_id,
            amount_to_pay(request),
            key=f"reserve-again:{request.reference}:{new_reference()}",
            effective_on=moment.today,
            source_type="request",
            source_ref=request.reference,
            now=moment.at,
        )
    move(session, actor, request, RequestEvent.LEAVE_RUN, reason=reason, moment=moment)


def mark_paid(
    session: Session,
    actor: Actor,
    request: DisbursementRequest,
    *,
    payment: str,
    moment: Moment,
) -> None:
    """Record that the bank has settled the payment with this reference."""
    request.hold_id = None
    move(
        session,
        actor,
        request,
        RequestEvent.SETTLE,
        amount_cents=amount_to_pay(request),
        moment=moment,
    )
    telling.paid(session, _case(session, request), request, payment, moment)


def mark_returned(
    session: Session,
    actor: Actor,
    request: DisbursementRequest,
    *,
    reason: str,
    payment: str,
    moment: Moment,
) -> None:
    """Record that the bank sent the payment with this reference back, in the parties' words."""
    request.hold_id = None
    move(session, actor, request, RequestEvent.RETURN, reason=reason, moment=moment)
    telling.returned(session, _case(session, request), request, payment, moment)


def pay_again(
    session: Session, actor: Actor, request: DisbursementRequest, *, reason: str, moment: Moment
) -> None:
    """Approve a returned request anew and reserve it again. The caller holds case and request."""
    move(session, actor, request, RequestEvent.PAY_AGAIN, reason=reason, moment=moment)
    reserve(session, actor, _case(session, request), request, moment=moment)


def _case(session: Session, request: DisbursementRequest) -> Case:
    case = session.get(Case, request.case_id)
    if case is None:
        message = f"case {request.case_id} vanished"
        raise AssertionError(message)
    return case


def materialise_item(
    session: Session, actor: Actor, item_id: int, *, moment: Moment
) -> DisbursementRequest | None:
    """Turn a planned schedule item into an approved, reserved request; None if not needed.

    Locks the case, then the item, and asks again whether the work is still to be done.
    """
    item = session.get(ScheduleItem, item_id)
    case = lock(session, Case, item.case_id) if item is not None else None
    item = lock(session, ScheduleItem, item_id)
    if item is None or case is None or item.state != ItemState.PLANNED:
        return None
    term = session.get(ContractTerm, item.term_id)
    obstacle = _obstacle(session, case, term)
    if term is None or obstacle:
        _keep_back(session, item, obstacle, moment)
        return None
    spread = spreads_of(session, [term.id]).get(term.id, Spread())
    title = item_title(term.title, item.number, spread)
    request = _scheduled(case, term, item, title, moment)
    session.add(request)
    item.state = ItemState.MATERIALISED.value
    session.flush()  # the reservation's steps refer to the row
    return reserve(session, actor, case, request, moment=moment)


def _obstacle(session: Session, case: Case, term: ContractTerm | None) -> str:
    if term is None or term.payee_id is None:
        return "The term has no payee. Complete it."
    category = Category(term.category)
    if not money_out_allowed(case, category):
        return "The case's stage does not allow it yet."
    if not category_is_unlocked(session, case, category):
        return "Its milestone has not been recorded."
    return ""


def _keep_back(session: Session, item: ScheduleItem, sentence: str, moment: Moment) -> None:
    open_exception(
        session,
        SCHEDULE_KIND,
        "schedule_item",
        item.reference,
        sentence,
        case_id=item.case_id,
        now=moment.at,
    )


def _scheduled(
    case: Case, term: ContractTerm, item: ScheduleItem, title: str, moment: Moment
) -> DisbursementRequest:
    return DisbursementRequest(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        client_key=f"item:{item.reference}",
        kind=RequestKind.SCHEDULED.value,
        state=RequestState.APPROVED.value,
        state_since_at=moment.at,
        term_id=term.id,
        schedule_item_id=item.id,
        category=term.category,
        tax_class=term.tax_class,
        payee_id=term.payee_id,
        requester_name="SeedTrust",
        requester_role="system",
        reviewer_name="",
        amount_cents=item.amount_cents,
        approved_cents=item.amount_cents,
        description=title,
        clause=term.clause,
        state_reason="",
        duplicate_reason="",
        approval_round=1,
        requested_on=moment.today,
        pay_on=item.due_on,
    )


def requests_ready(session: Session) -> list[int]:
    """Return the ids of all READY requests in their order; a run's builder locks each in turn."""
    return list(
        session.execute(
            select(DisbursementRequest.id)
            .where(DisbursementRequest.state == RequestState.READY.value)
            .order_by(DisbursementRequest.id)
        ).scalars()
    )


def release_for_hold(
    session: Session, actor: Actor, request: DisbursementRequest, *, reason: str, moment: Moment
) -> None:
    """Put a READY request on hold because its payee's account may not be used."""
    move(session, actor, request, RequestEvent.HOLD, reason=reason, moment=moment)
    let_go(session, actor, request, moment=moment)
