"""Requests in a journey: asked, questioned, reviewed, answered, and paid again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements import review
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reissue import reissue
from seedtrust.domain.disbursements.service import Line, create_request, withdraw
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.documents.states import DocumentKind
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.ext import in_transaction
from seedtrust.journeys.scenes import Scene, find_case, payee_ref, stored
from seedtrust.journeys.script import Journey, RequestSpec


def ask(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Ask for money with its evidence; the key makes a second try the same request."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        journey = scene.journey
        case = find_case(session, journey)
        if _request(session, case, key) is not None:
            return
        party = next(party for party in journey.parties if party.key == spec.requester)
        actor = scene.cast.party(session, party.email)
        documents = [
            stored(session, scene, actor, case, title, DocumentKind.EVIDENCE, moment)
            for title in spec.evidence
        ]
        create_request(
            session,
            actor,
            case_ref=case.reference,
            category=spec.category,
            payee_ref=payee_ref(session, journey, spec.payee),
            amount_cents=spec.amount_cents,
            description=spec.description,
            lines=[
                Line(line.description, line.amount_cents, line.on, line.quantity_hundredths)
                for line in spec.lines
            ],
            pay_on=spec.pay_on,
            document_refs=[document.reference for document in documents],
            client_key=key,
            duplicate_reason="Another bill of the same amount" if _twin(journey, index) else "",
            moment=moment,
        )

    in_transaction(work)


def _twin(journey: Journey, index: int) -> bool:
    # The calendar pays the same payee too, and sometimes the same amount.
    spec = journey.requests[index]
    wanted = (spec.payee, spec.amount_cents)
    others = [(other.payee, other.amount_cents) for other in journey.requests[:index]]
    return wanted in others or wanted in [(one.payee, one.amount_cents) for one in journey.terms]


def _request(session: Session, case: Case, key: str) -> DisbursementRequest | None:
    return session.execute(
        select(DisbursementRequest).where(
            DisbursementRequest.case_id == case.id, DisbursementRequest.client_key == key
        )
    ).scalar_one_or_none()


def review_request(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Let the escrow accept or refuse a request, or its requester take it back."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        request = _request(session, case, key)
        if request is None or request.state not in {
            RequestState.SUBMITTED,
            RequestState.IN_REVIEW,
        }:
            return
        if spec.answer == "withdrawn":
            party = next(one for one in scene.journey.parties if one.key == spec.requester)
            actor = scene.cast.party(session, party.email)
            withdraw(session, actor, request_ref=request.reference, moment=moment)
            return
        escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        if spec.answer == "refused":
            review.refuse(
                session, escrow, request_ref=request.reference, reason=spec.reason, moment=moment
            )
            return
        review.accept(
            session,
            escrow,
            request_ref=request.reference,
            amount_cents=spec.approved_cents,
            reason=spec.reason,
            moment=moment,
        )

    in_transaction(work)


def question_request(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Let the escrow ask for what is missing, once."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        request = _request(session, find_case(session, scene.journey), key)
        if spec.question is None or request is None or request.state != RequestState.SUBMITTED:
            return
        escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        question = spec.question.text
        review.ask(session, escrow, request_ref=request.reference, question=question, moment=moment)

    in_transaction(work)


def reply_to_question(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Let the requester answer a question, with the papers that were missing."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        journey, question = scene.journey, spec.question
        case = find_case(session, journey)
        request = _request(session, case, key)
        if question is None or request is None or request.state != RequestState.NEEDS_INFO:
            return
        party = next(party for party in journey.parties if party.key == spec.requester)
        actor = scene.cast.party(session, party.email)
        documents = [
            stored(session, scene, actor, case, title, DocumentKind.EVIDENCE, moment)
            for title in question.evidence
        ]
        review.answer(
            session,
            actor,
            request_ref=request.reference,
            text=question.reply,
            document_refs=[document.reference for document in documents],
            moment=moment,
        )

    in_transaction(work)


def answer_request(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Let the parents approve or deny a request that waits for them."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        journey = scene.journey
        case = find_case(session, journey)
        request = _request(session, case, key)
        if request is None or request.state != RequestState.PENDING_APPROVAL:
            return
        parents = [party for party in journey.parties if party.role == Role.INTENDED_PARENT]
        for party in parents if journey.all_parents_approve else parents[:1]:
            actor = scene.cast.party(session, party.email)
            if spec.answer == "denied":
                review.deny(
                    session, actor, request_ref=request.reference, reason=spec.reason, moment=moment
                )
                return
            review.approve(session, actor, request_ref=request.reference, moment=moment)

    in_transaction(work)


def pay_returned_again(scene: Scene, moment: Moment) -> None:
    """Let a payments lead approve anew what came back, once its payee has an account in use."""

    def work(session: Session) -> None:
        case_id = select(Case.id).where(Case.number == scene.journey.number).scalar_subquery()
        came_back = (
            select(DisbursementRequest.reference)
            .join(PayeeAccount, PayeeAccount.active_for_payee_id == DisbursementRequest.payee_id)
            .where(
                DisbursementRequest.case_id == case_id,
                DisbursementRequest.state == RequestState.RETURNED.value,
            )
            .order_by(DisbursementRequest.id)
        )
        for reference in session.execute(came_back).scalars().all():
            lead = scene.cast.staff(session, "lead2")
            reason = "The payee's new account is in use."
            reissue(session, lead, request_ref=reference, reason=reason, moment=moment)

    in_transaction(work)
