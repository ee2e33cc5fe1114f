"""Judging requests: the escrow's review, the parents' approval, questions and refusals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import StaleVersion
from seedtrust.core.ids import new_id
from seedtrust.core.money import check_amount_cents, format_dollars
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Side
from seedtrust.domain.disbursements import telling
from seedtrust.domain.disbursements.errors import (
    AlreadyDecided,
    ApproverIsRelated,
    NoClause,
    OverCap,
    ReviewerIsRequester,
)
from seedtrust.domain.disbursements.life import may, move, state_of
from seedtrust.domain.disbursements.limits import Limits, limits_on, note_approved
from seedtrust.domain.disbursements.models import DisbursementApproval, DisbursementRequest
from seedtrust.domain.disbursements.queries import locked_request
from seedtrust.domain.disbursements.reservation import let_go, reserve
from seedtrust.domain.disbursements.service import (
    add_evidence,
    content_hash,
    require_reason,
    require_requester,
)
from seedtrust.domain.disbursements.states import RequestEvent, RequestState
from seedtrust.domain.terms import queries as term_queries
from seedtrust.domain.terms.models import ContractTerm
from seedtrust.domain.terms.states import Category, TermApprover

PARENT_ROLES = frozenset({Role.INTENDED_PARENT.value, Role.IP_REPRESENTATIVE.value})


def start_review(
    session: Session, actor: Actor, *, request_ref: str, moment: Moment
) -> DisbursementRequest:
    """Take a submitted request into review; the actor becomes its reviewer."""
    _case, request = _reviewable(session, actor, request_ref)
    return _take(session, actor, request, moment)


def _reviewable(
    session: Session, actor: Actor, request_ref: str
) -> tuple[Case, DisbursementRequest]:
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_REVIEW)
    if actor.user_id is not None and actor.user_id == request.requester_user_id:
        message = "You asked for this payment, so a colleague has to review it."
        raise ReviewerIsRequester(message)
    return case, request


def _take(
    session: Session, actor: Actor, request: DisbursementRequest, moment: Moment
) -> DisbursementRequest:
    request.reviewer_user_id, request.reviewer_name = actor.user_id, actor.name
    return move(session, actor, request, RequestEvent.START_REVIEW, moment=moment)


def _in_review(
    session: Session, actor: Actor, request: DisbursementRequest, moment: Moment
) -> None:
    # Deciding on a request that nobody has opened yet opens it first; both steps are recorded.
    if may(request, RequestEvent.START_REVIEW):
        _take(session, actor, request, moment)


def accept(
    session: Session,
    actor: Actor,
    *,
    request_ref: str,
    amount_cents: int,
    reason: str = "",
    expected_version: int | None = None,
    moment: Moment,
) -> DisbursementRequest:
    """Accept a request in full or in part, against its clause.

    It goes to the parents when the term asks for them, else it is approved and reserved at once.
    Raises OverCap, NoClause, ReasonMissing (a partial amount needs one), ReviewerIsRequester,
    CategoryLocked, CaseClosed, StaleVersion and WrongState.
    """
    case, request = _reviewable(session, actor, request_ref)
    _same_version(request, expected_version)
    term_queries.require_money_out(session, case, Category(request.category))
    term = _term(session, request)
    left = limits_on(session, request, term.id)
    approved = _approved_amount(session, request, term, left, amount_cents)
    if approved < request.amount_cents:
        reason = require_reason(reason)
    _in_review(session, actor, request, moment)
    request.approved_cents, request.clause, request.term_id = approved, term.clause, term.id
    note_approved(session, request, left, approved)
    asks_parents = term.approver == TermApprover.INTENDED_PARENTS
    event = RequestEvent.ACCEPT_FOR_APPROVAL if asks_parents else RequestEvent.ACCEPT_PRE_AUTHORISED
    move(
        session,
        actor,
        request,
        event,
        reason=reason,
        clause=term.clause,
        amount_cents=approved,
        moment=moment,
    )
    if asks_parents:
        telling.waits_for_approval(session, case, request, moment)
        return request
    telling.approved(session, case, request, moment)
    return reserve(session, actor, case, request, moment=moment)


def _same_version(request: DisbursementRequest, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != request.version:
        message = "This request changed while you were looking at it. Look again, then decide."
        raise StaleVersion(message, version=request.version)


def _term(session: Session, request: DisbursementRequest) -> ContractTerm:
    term = (
        session.get(ContractTerm, request.term_id)
        if request.term_id
        else term_queries.term_for_category(session, request.case_id, Category(request.category))
    )
    if term is None:
        message = (
            "No active clause of the contract covers this category. "
            "Refuse the request, or have the contract amended first."
        )
        raise NoClause(message)
    return term


def _approved_amount(
    session: Session,
    request: DisbursementRequest,
    term: ContractTerm,
    left_of_lines: Limits | None,
    amount_cents: int,
) -> int:
    approved = check_amount_cents(amount_cents)
    limits = [request.amount_cents]
    if term.amount_cents is not None:
        limits.append(term.amount_cents)
    if term.cap_cents is not None:
        used = term_queries.used_of_cap(session, term.id, except_request_id=request.id)
        limits.append(term.cap_cents - used)
    if left_of_lines is not None:
        limits.append(left_of_lines.allowed_cents)
    if approved > min(limits):
        left = max(min(limits), 0)
        exceeds = "" if left_of_lines is None else left_of_lines.words
        message = (
            f"Clause {term.clause} and the request allow {format_dollars(left)} at most. "
            + (f"Too much is asked for {exceeds}. " if exceeds else "")
            + "Approve that much or less."
        )
        raise OverCap(message, errors={"amount_cents": [message]}, remaining_cents=left)
    return approved


def refuse(
    session: Session,
    actor: Actor,
    *,
    request_ref: str,
    reason: str,
    clause: str = "",
    moment: Moment,
) -> DisbursementRequest:
    """Refuse a request with a reason that its requester will read."""
    case, request = _reviewable(session, actor, request_ref)
    reason = require_reason(reason)
    _in_review(session, actor, request, moment)
    move(session, actor, request, RequestEvent.REFUSE, reason=reason, clause=clause, moment=moment)
    telling.denied(session, case, request, moment)
    return request


def ask(
    session: Session, actor: Actor, *, request_ref: str, question: str, moment: Moment
) -> DisbursementRequest:
    """Ask the requester for something that is missing."""
    permission = Permission.REQUESTS_REVIEW if actor.is_staff else Permission.REQUESTS_APPROVE
    case, request = locked_request(session, actor, request_ref, permission)
    if not actor.is_staff:
        _approver(session, actor, case, request)
    question = require_reason(question)
    if actor.is_staff:
        _in_review(session, actor, request, moment)
    move(session, actor, request, RequestEvent.ASK, reason=question, moment=moment)
    telling.needs_info(session, case, request, moment)
    return request


def answer(
    session: Session,
    actor: Actor,
    *,
    request_ref: str,
    text: str,
    document_refs: Sequence[str] = (),
    moment: Moment,
) -> DisbursementRequest:
    """Answer a question, perhaps with further documents; the request goes back into review.

    Only its requester may. Raises ReasonMissing, NotFound for a document out of reach, WrongState.
    """
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_CREATE)
    require_requester(actor, request)
    text = require_reason(text)
    add_evidence(session, actor, case, request, document_refs)
    request.approval_round += 1  # what was approved before the answer is void
    return move(session, actor, request, RequestEvent.ANSWER, reason=text, moment=moment)


def approve(
    session: Session,
    actor: Actor,
    *,
    request_ref: str,
    expected_version: int | None = None,
    moment: Moment,
) -> DisbursementRequest:
    """Give one approver's yes; with all that are required, the request is approved and reserved.

    Raises AlreadyDecided on a second yes by the same person, ApproverIsRelated, StaleVersion and
    WrongState.
    """
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_APPROVE)
    party = _approver(session, actor, case, request)
    _not_decided(session, actor, request)
    _same_version(request, expected_version)
    if state_of(request) is not RequestState.PENDING_APPROVAL:
        move(session, actor, request, RequestEvent.APPROVE, moment=moment)  # raises WrongState
    session.add(
        DisbursementApproval(
            id=new_id(),
            request_id=request.id,
            approval_round=request.approval_round,
            user_id=party.user_id,
            party_id=party.id,
            content_hash=content_hash(session, request),
            approved_at=moment.at,
        )
    )
    session.flush()  # the count below includes this approval
    if not _all_said_yes(session, case, request):
        return request
    move(
        session,
        actor,
        request,
        RequestEvent.APPROVE,
        clause=request.clause,
        amount_cents=request.approved_cents,
        moment=moment,
    )
    telling.approved(session, case, request, moment)
    return reserve(session, actor, case, request, moment=moment)


def deny(
    session: Session, actor: Actor, *, request_ref: str, reason: str, moment: Moment
) -> DisbursementRequest:
    """Say no for the parents, with a reason."""
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_APPROVE)
    _approver(session, actor, case, request)
    _not_decided(session, actor, request)
    move(
        session,
        actor,
        request,
        RequestEvent.DENY,
        reason=require_reason(reason),
        moment=moment,
    )
    telling.denied(session, case, request, moment)
    return request


def _approver(
    session: Session, actor: Actor, case: Case, request: DisbursementRequest
) -> CaseParty:
    party = session.execute(
        select(CaseParty)
        .where(CaseParty.case_id == case.id, CaseParty.user_id == actor.user_id)
        .order_by(CaseParty.id)
        .limit(1)
    ).scalar_one_or_none()
    if party is None or party.side != Side.RECIPIENT or party.role not in PARENT_ROLES:
        message = "Only the intended parents of the case, or who acts for them, can answer this."
        raise ApproverIsRelated(message)
    if actor.user_id == request.requester_user_id:
        message = "You asked for this payment, so another person has to approve it."
        raise ApproverIsRelated(message)
    return party


def _not_decided(session: Session, actor: Actor, request: DisbursementRequest) -> None:
    said = session.execute(
        select(DisbursementApproval.id).where(
            DisbursementApproval.request_id == request.id,
            DisbursementApproval.approval_round == request.approval_round,
            DisbursementApproval.user_id == actor.user_id,
        )
    ).first()
    if said is not None:
        message = "You have already approved this request. Nothing more is needed from you."
        raise AlreadyDecided(message)


def _all_said_yes(session: Session, case: Case, request: DisbursementRequest) -> bool:
    if not case.all_parents_approve:
        return True
    parents = set(
        session.execute(
            select(CaseParty.user_id).where(
                CaseParty.case_id == case.id,
                CaseParty.role == Role.INTENDED_PARENT.value,
                CaseParty.user_id.is_not(None),
            )
        ).scalars()
    )
    said = set(
        session.execute(
            select(DisbursementApproval.user_id).where(
                DisbursementApproval.request_id == request.id,
                DisbursementApproval.approval_round == request.approval_round,
            )
        ).scalars()
    )
    return parents <= said


def send_back(
    session: Session, actor: Actor, *, request_ref: str, reason: str, moment: Moment
) -> DisbursementRequest:
    """Send an approved request back into review; its reservation is released."""
    _case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_LEAD)
    reason = require_reason(reason)
    if may(request, RequestEvent.RELEASE_RESERVATION):
        let_go(session, actor, request, moment=moment)
        move(session, actor, request, RequestEvent.RELEASE_RESERVATION, moment=moment)
    request.approval_round += 1
    return move(session, actor, request, RequestEvent.SEND_BACK, reason=reason, moment=moment)


def cancel(
    session: Session, actor: Actor, *, request_ref: str, reason: str, moment: Moment
) -> DisbursementRequest:
    """Refuse an approved request before it is in a run; its reservation is released."""
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_LEAD)
    move(
        session,
        actor,
        request,
        RequestEvent.CANCEL,
        reason=require_reason(reason),
        moment=moment,
    )
    let_go(session, actor, request, moment=moment)
    telling.denied(session, case, request, moment)
    return request


def hold(
    session: Session, actor: Actor, *, request_ref: str, reason: str, moment: Moment
) -> DisbursementRequest:
    """Put an approved request on hold; its reservation is released."""
    _case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_LEAD)
    move(session, actor, request, RequestEvent.HOLD, reason=require_reason(reason), moment=moment)
    let_go(session, actor, request, moment=moment)
    return request


def recheck(
    session: Session, actor: Actor, *, request_ref: str, moment: Moment
) -> DisbursementRequest:
    """Try again to reserve a request that was insufficient or on hold."""
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_REVIEW)
    move(session, actor, request, RequestEvent.RECHECK, moment=moment)
    return reserve(session, actor, case, request, moment=moment)
