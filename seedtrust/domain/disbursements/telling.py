"""Whom a request's steps are told to; facts carry case numbers and categories, never names."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Side
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify
from seedtrust.domain.payees.models import Payee

_PARENTS = (Role.INTENDED_PARENT.value, Role.IP_REPRESENTATIVE.value)


def submitted(session: Session, case: Case, request: DisbursementRequest, moment: Moment) -> None:
    """Acknowledge a request to the person who asked."""
    _tell(session, case, request, NoticeEvent.REQUEST_SUBMITTED, _requester(request), moment)


def needs_info(session: Session, case: Case, request: DisbursementRequest, moment: Moment) -> None:
    """Tell the requester what is missing."""
    _tell(session, case, request, NoticeEvent.REQUEST_NEEDS_INFO, _requester(request), moment)


def waits_for_approval(
    session: Session, case: Case, request: DisbursementRequest, moment: Moment
) -> None:
    """Ask the parents."""
    _tell(session, case, request, NoticeEvent.REQUEST_PENDING_APPROVAL, None, moment)


def approved(session: Session, case: Case, request: DisbursementRequest, moment: Moment) -> None:
    """Tell the requester that the payment is coming."""
    _tell(session, case, request, NoticeEvent.REQUEST_APPROVED, _requester(request), moment)


def denied(session: Session, case: Case, request: DisbursementRequest, moment: Moment) -> None:
    """Tell the requester that the request was not approved."""
    _tell(session, case, request, NoticeEvent.REQUEST_DENIED, _requester(request), moment)


def paid(
    session: Session, case: Case, request: DisbursementRequest, payment: str, moment: Moment
) -> None:
    """Tell whoever asked, the payee's own user, and the parents when it is their refund."""
    users = _requester(request) | _payee_users(session, request)
    _tell(session, case, request, NoticeEvent.PAYMENT_SETTLED, users, moment, again=payment)
    if request.kind == RequestKind.REFUND:
        _tell(session, case, request, NoticeEvent.PAYMENT_SETTLED, None, moment, again=payment)


def returned(
    session: Session, case: Case, request: DisbursementRequest, payment: str, moment: Moment
) -> None:
    """Tell the payee's own user and whoever asked that the money came back."""
    users = _requester(request) | _payee_users(session, request)
    _tell(session, case, request, NoticeEvent.PAYMENT_RETURNED, users, moment, again=payment)


def _requester(request: DisbursementRequest) -> set[int]:
    return {request.requester_user_id} if request.requester_user_id else set()


def _payee_users(session: Session, request: DisbursementRequest) -> set[int]:
    user_id = session.execute(
        select(CaseParty.user_id)
        .join(Payee, Payee.party_id == CaseParty.id)
        .where(Payee.id == request.payee_id)
    ).scalar_one_or_none()
    return {user_id} if user_id else set()


def _tell(  # noqa: PLR0917 - the event, its subject and its readers
    session: Session,
    case: Case,
    request: DisbursementRequest,
    event: NoticeEvent,
    user_ids: Collection[int] | None,
    moment: Moment,
    *,
    again: str = "",
) -> None:
    query = select(CaseParty).where(CaseParty.case_id == case.id, CaseParty.email != "")
    if user_ids is None:
        query = query.where(CaseParty.side == Side.RECIPIENT.value, CaseParty.role.in_(_PARENTS))
    else:
        query = query.where(CaseParty.user_id.in_(user_ids))
    facts = {
        "case": str(case.number),
        "case_ref": case.reference,
        "request": request.reference,
        "category": request.category.replace("_", " "),
        "reason": request.state_reason,
    }
    recipients = [
        Recipient(party.user_id, party.email, facts) for party in session.execute(query).scalars()
    ]
    # A step that happens again (asked twice, returned twice) is another event: rounds tell them
    # apart, and payments those of one round.
    told = again or f"{request.approval_round}:{request.state}"
    key = f"{event.value}:{request.reference}:{told}"
    notify(session, event, key, recipients, case_id=case.id, now=moment.at)
