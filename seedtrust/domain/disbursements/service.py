"""Asking for money: creating, submitting and withdrawing requests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import canonical_json
from seedtrust.core.errors import IdempotencyConflict, Invalid, NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents, format_dollars
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.states import Side
from seedtrust.domain.disbursements import telling
from seedtrust.domain.disbursements.errors import (
    DuplicateSuspected,
    EvidenceMissing,
    OverCap,
    ReasonMissing,
)
from seedtrust.domain.disbursements.life import move
from seedtrust.domain.disbursements.models import (
    DisbursementEvidence,
    DisbursementLine,
    DisbursementRequest,
)
from seedtrust.domain.disbursements.queries import locked_request
from seedtrust.domain.disbursements.reservation import let_go, reserve
from seedtrust.domain.disbursements.states import RequestEvent, RequestKind, RequestState
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import document_for
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms import queries as term_queries
from seedtrust.domain.terms.limits import Piece, missing
from seedtrust.domain.terms.models import ContractTerm
from seedtrust.domain.terms.plans import MOST_HUNDREDTHS, caps_of
from seedtrust.domain.terms.states import Category, TaxClass

DUPLICATE_WINDOW: Final = timedelta(days=10)
MAX_LINES: Final = 100
NOT_ASKED_FOR: Final = frozenset(
    {Category.FUNDING, Category.CLOSING_REFUND, Category.ESCROW_FEE, Category.BANK_FEE}
)


@dataclass(frozen=True)
class Line:
    """One item of a request: what for, how many cents, the day it is for and its units, if any."""

    description: str
    amount_cents: int
    serves_on: date | None = None
    quantity_hundredths: int | None = None


@dataclass(frozen=True)
class Ask:
    """What somebody asks for, checked and ready to be written."""

    category: Category
    payee: Payee
    amount_cents: int
    description: str
    lines: tuple[Line, ...]
    documents: tuple[Document, ...]
    pay_on: date | None
    term: ContractTerm | None
    duplicate_reason: str


def create_request(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    category: str,
    payee_ref: str,
    amount_cents: int,
    description: str,
    lines: Sequence[Line] = (),
    document_refs: Sequence[str] = (),
    pay_on: date | None = None,
    client_key: str | None = None,
    duplicate_reason: str = "",
    as_draft: bool = False,
    moment: Moment,
) -> DisbursementRequest:
    """Create a request and, unless it is a draft, submit it for review.

    Raises InvalidAmount, CategoryLocked, CaseClosed, OverCap, EvidenceMissing,
    DuplicateSuspected, NotFound for a case or payee out of reach, and IdempotencyConflict when
    `client_key` came with another request before.
    """
    case = case_for(session, actor, case_ref, Permission.REQUESTS_CREATE, locked=True)
    wanted = _category(category)
    cents = check_amount_cents(amount_cents)
    known = _replayed(session, case, client_key, wanted, cents, payee_ref)
    if known is not None:
        return known
    term_queries.require_money_out(session, case, wanted)
    term = term_queries.term_for_category(session, case.id, wanted)
    party = _own_party(session, actor, case)
    ask = Ask(
        wanted,
        _payee(session, actor, case, party, payee_ref),
        cents,
        _described(description),
        _lines(lines, cents),
        tuple(document_for(session, actor, reference) for reference in document_refs),
        pay_on,
        term,
        duplicate_reason.strip(),
    )
    _within_contract(session, term, cents)
    _lines_say_enough(session, term, ask.lines)
    _not_a_duplicate(session, case, ask, moment)
    _documents_of_case(case, ask.documents)
    request = _write(session, actor, case, party, ask, client_key, moment)
    if not as_draft:
        _submit(session, actor, case, request, ask.term, len(ask.documents), moment)
    return request


def submit(
    session: Session, actor: Actor, *, request_ref: str, moment: Moment
) -> DisbursementRequest:
    """Submit a draft. Raises EvidenceMissing, WrongState, and NotFound out of reach."""
    case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_CREATE)
    require_requester(actor, request)
    term = session.get(ContractTerm, request.term_id) if request.term_id else None
    evidence = session.execute(
        select(DisbursementEvidence.id).where(DisbursementEvidence.request_id == request.id)
    ).all()
    _submit(session, actor, case, request, term, len(evidence), moment)
    return request


def withdraw(
    session: Session, actor: Actor, *, request_ref: str, reason: str = "", moment: Moment
) -> DisbursementRequest:
    """Take a request back; a reservation is released. Only its requester may."""
    _case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_CREATE)
    require_requester(actor, request)
    move(session, actor, request, RequestEvent.WITHDRAW, reason=reason, moment=moment)
    let_go(session, actor, request, moment=moment)
    return request


def open_refund(
    session: Session,
    actor: Actor,
    *,
    case: Case,
    payee_id: int,
    amount_cents: int,
    moment: Moment,
) -> DisbursementRequest:
    """Create the closing refund of a case, approved by its final accounting, and reserve it.

    The caller holds the case's lock and has checked the accounting.
    """
    request = _row(
        case,
        kind=RequestKind.REFUND,
        category=Category.CLOSING_REFUND,
        tax_class=TaxClass.NONE,
        payee_id=payee_id,
        amount_cents=check_amount_cents(amount_cents),
        description="Closing refund",
        client_key=f"refund:{moment.at.isoformat()}",
        moment=moment,
    )
    request.requester_name, request.requester_role = actor.name, "escrow"
    request.requester_user_id = actor.user_id
    request.state, request.approved_cents = RequestState.APPROVED.value, amount_cents
    session.add(request)
    session.flush()  # steps refer to the row
    record(
        session,
        actor,
        "request.refund_opened",
        "request",
        request.reference,
        case_id=case.id,
        facts={"amount_cents": amount_cents},
        now=moment.at,
    )
    return reserve(session, actor, case, request, moment=moment)


def content_hash(session: Session, request: DisbursementRequest) -> str:
    """Return the SHA-256 of what is approved: payee, amount, term, lines and evidence."""
    lines = session.execute(
        select(
            DisbursementLine.description,
            DisbursementLine.amount_cents,
            DisbursementLine.serves_on,
            DisbursementLine.quantity_hundredths,
        )
        .where(DisbursementLine.request_id == request.id)
        .order_by(DisbursementLine.number)
    ).all()
    hashes = session.execute(
        select(Document.sha256)
        .join(DisbursementEvidence, DisbursementEvidence.document_id == Document.id)
        .where(DisbursementEvidence.request_id == request.id)
        .order_by(Document.sha256)
    ).scalars()
    content = {
        "reference": request.reference,
        "payee": request.payee_id,
        "asked": request.amount_cents,
        "approved": request.approved_cents,
        "term": request.term_id,
        "clause": request.clause,
        "lines": [list(line) for line in lines],
        "evidence": list(hashes),
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _category(text: str) -> Category:
    try:
        category = Category(text)
    except ValueError:
        message = "Choose one of the categories of the contract."
        raise Invalid(message, errors={"category": [message]}) from None
    if category in NOT_ASKED_FOR:
        message = "This category is booked by SeedTrust itself and cannot be asked for."
        raise Invalid(message, errors={"category": [message]})
    return category


def _described(text: str) -> str:
    cleaned = " ".join(text.split())
    if not cleaned:
        message = "Say in a few words what the money is for."
        raise Invalid(message, errors={"description": [message]})
    if len(cleaned) > 500:  # noqa: PLR2004 - the column's width
        message = "Keep the description under 500 characters."
        raise Invalid(message, errors={"description": [message]})
    return cleaned


def _lines(lines: Sequence[Line], total_cents: int) -> tuple[Line, ...]:
    if len(lines) > MAX_LINES:
        message = f"Give at most {MAX_LINES} lines."
        raise Invalid(message, errors={"lines": [message]})
    for line in lines:
        check_amount_cents(line.amount_cents, "lines")
        _described(line.description)
        _quantity(line.quantity_hundredths)
    if lines and sum(line.amount_cents for line in lines) != total_cents:
        message = "The lines must add up to the amount."
        raise Invalid(message, errors={"lines": [message]})
    return tuple(lines)


def _quantity(hundredths: int | None) -> None:
    if hundredths is None:
        return
    if type(hundredths) is not int or not 1 <= hundredths <= MOST_HUNDREDTHS:
        message = "Enter a number of units above zero."
        raise Invalid(message, errors={"lines": [message]})


def _replayed(  # noqa: PLR0917 - everything that must be the same
    session: Session, case: Case, client_key: str | None, category: Category, cents: int, payee: str
) -> DisbursementRequest | None:
    if client_key is None:
        return None
    known = session.execute(
        select(DisbursementRequest, Payee.reference)
        .join(Payee, Payee.id == DisbursementRequest.payee_id)
        .where(DisbursementRequest.case_id == case.id, DisbursementRequest.client_key == client_key)
    ).one_or_none()
    if known is None:
        return None
    request, payee_ref = known
    if (request.category, request.amount_cents, payee_ref) != (category.value, cents, payee):
        message = "This key was used for another request. Use a new key for a new request."
        raise IdempotencyConflict(message)
    return request


def _own_party(session: Session, actor: Actor, case: Case) -> CaseParty | None:
    if actor.user_id is None or actor.is_staff:
        return None
    return session.execute(
        select(CaseParty)
        .where(CaseParty.case_id == case.id, CaseParty.user_id == actor.user_id)
        .order_by(CaseParty.id)
        .limit(1)
    ).scalar_one_or_none()


def _payee(
    session: Session, actor: Actor, case: Case, party: CaseParty | None, payee_ref: str
) -> Payee:
    payee = session.execute(select(Payee).where(Payee.reference == payee_ref)).scalar_one_or_none()
    if payee is None or not _may_be_paid(session, case, payee):
        message = "This payee is not on the case. Choose one from the list."
        raise NotFound(message, errors={"payee": [message]})
    is_side = party is not None and party.side in {Side.CARRIER, Side.RECIPIENT}
    if is_side and Role.ATTORNEY not in actor.roles and payee.party_id != party.id:  # type: ignore[union-attr]
        message = "You can ask for payments to yourself only."
        raise Invalid(message, errors={"payee": [message]})
    return payee


def _may_be_paid(session: Session, case: Case, payee: Payee) -> bool:
    if payee.case_id == case.id:
        return True
    if payee.agency_id is not None:
        return payee.agency_id == case.agency_id
    if payee.party_id is None:
        return False
    party = session.get(CaseParty, payee.party_id)
    return party is not None and party.case_id == case.id


def _within_contract(session: Session, term: ContractTerm | None, cents: int) -> None:
    if term is None:
        return
    limits = [
        limit for limit in (term.amount_cents, _remaining(session, term)) if limit is not None
    ]
    if limits and cents > min(limits):
        left = max(min(limits), 0)
        message = (
            f"Clause {term.clause} allows {format_dollars(left)} now; "
            "ask for that much, or have the contract amended."
        )
        raise OverCap(message, errors={"amount_cents": [message]}, remaining_cents=left)


def _lines_say_enough(session: Session, term: ContractTerm | None, lines: Sequence[Line]) -> None:
    caps = () if term is None else caps_of(session, [term.id]).get(term.id, ())
    pieces = [Piece(line.amount_cents, line.serves_on, line.quantity_hundredths) for line in lines]
    message = missing(caps, pieces)
    if message:
        raise Invalid(message, errors={"lines": [message]})


def _remaining(session: Session, term: ContractTerm) -> int | None:
    if term.cap_cents is None:
        return None
    return term.cap_cents - term_queries.used_of_cap(session, term.id)


def _not_a_duplicate(session: Session, case: Case, ask: Ask, moment: Moment) -> None:
    if ask.duplicate_reason:
        return
    twin = session.execute(
        select(DisbursementRequest.reference)
        .where(
            DisbursementRequest.case_id == case.id,
            DisbursementRequest.payee_id == ask.payee.id,
            DisbursementRequest.amount_cents == ask.amount_cents,
            DisbursementRequest.requested_on >= moment.today - DUPLICATE_WINDOW,
            DisbursementRequest.state.not_in(
                (RequestState.DENIED.value, RequestState.CANCELLED.value)
            ),
        )
        .limit(1)
    ).scalar_one_or_none()
    if twin is not None:
        message = (
            f"Request {twin} asks for the same amount to the same payee within ten days. "
            "If this is another payment, say why."
        )
        raise DuplicateSuspected(
            message, errors={"duplicate_reason": [message]}, other_request=twin
        )


def _documents_of_case(case: Case, documents: Sequence[Document]) -> None:
    if any(document.case_id != case.id for document in documents):
        message = "A document belongs to another case."
        raise NotFound(message, errors={"documents": [message]})


def add_evidence(
    session: Session,
    actor: Actor,
    case: Case,
    request: DisbursementRequest,
    document_refs: Sequence[str],
) -> None:
    """Attach further documents of the case; one that is attached already stays as it is.

    The caller holds the locks and has checked who may. Raises NotFound for a document out of reach
    or of another case.
    """
    documents = [document_for(session, actor, reference) for reference in document_refs]
    _documents_of_case(case, documents)
    attached = set(
        session.execute(
            select(DisbursementEvidence.document_id).where(
                DisbursementEvidence.request_id == request.id
            )
        ).scalars()
    )
    session.add_all(
        DisbursementEvidence(id=new_id(), request_id=request.id, document_id=document.id)
        for document in dict.fromkeys(documents)
        if document.id not in attached
    )


def _row(
    case: Case,
    *,
    kind: RequestKind,
    category: Category,
    tax_class: TaxClass,
    payee_id: int,
    amount_cents: int,
    description: str,
    client_key: str | None,
    moment: Moment,
) -> DisbursementRequest:
    return DisbursementRequest(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        client_key=client_key,
        kind=kind.value,
        state=RequestState.DRAFT.value,
        state_since_at=moment.at,
        category=category.value,
        tax_class=tax_class.value,
        payee_id=payee_id,
        amount_cents=amount_cents,
        description=description,
        requested_on=moment.today,
        approval_round=1,
        clause="",
        state_reason="",
        duplicate_reason="",
        reviewer_name="",
        requester_name="SeedTrust",
        requester_role="system",
    )


def _write(  # noqa: PLR0917 - who asks for what, where, under which key
    session: Session,
    actor: Actor,
    case: Case,
    party: CaseParty | None,
    ask: Ask,
    client_key: str | None,
    moment: Moment,
) -> DisbursementRequest:
    term = ask.term
    request = _row(
        case,
        kind=RequestKind.REQUEST,
        category=ask.category,
        tax_class=TaxClass(term.tax_class) if term else TaxClass.REIMBURSEMENT,
        payee_id=ask.payee.id,
        amount_cents=ask.amount_cents,
        description=ask.description,
        client_key=client_key,
        moment=moment,
    )
    request.term_id = term.id if term else None
    request.clause = term.clause if term else ""
    request.requester_user_id = actor.user_id
    request.requester_name = actor.name
    request.requester_role = party.role if party else _role_word(actor)
    request.pay_on = ask.pay_on
    request.duplicate_reason = ask.duplicate_reason
    session.add(request)
    session.flush()  # lines, evidence and steps refer to the row
    session.add_all(
        DisbursementLine(
            id=new_id(),
            request_id=request.id,
            number=number,
            description=line.description,
            amount_cents=line.amount_cents,
            serves_on=line.serves_on,
            quantity_hundredths=line.quantity_hundredths,
        )
        for number, line in enumerate(ask.lines, start=1)
    )
    session.add_all(
        DisbursementEvidence(id=new_id(), request_id=request.id, document_id=document.id)
        for document in dict.fromkeys(ask.documents)
    )
    facts = {"amount_cents": ask.amount_cents, "category": ask.category.value}
    record(
        session,
        actor,
        "request.create",
        "request",
        request.reference,
        case_id=case.id,
        facts=facts,
        now=moment.at,
    )
    return request


def _role_word(actor: Actor) -> str:
    if actor.is_system:
        return "system"
    return min((role.value for role in actor.roles), default="staff")


def _submit(  # noqa: PLR0917 - the request and what it rests on
    session: Session,
    actor: Actor,
    case: Case,
    request: DisbursementRequest,
    term: ContractTerm | None,
    evidence_count: int,
    moment: Moment,
) -> None:
    if term is not None and term.evidence and not evidence_count:
        wanted = ", ".join(str(item) for item in term.evidence)
        message = f"Clause {term.clause} asks for evidence: {wanted}. Attach it and submit again."
        raise EvidenceMissing(message, errors={"documents": [message]})
    move(
        session,
        actor,
        request,
        RequestEvent.SUBMIT,
        amount_cents=request.amount_cents,
        moment=moment,
    )
    telling.submitted(session, case, request, moment)


def require_requester(actor: Actor, request: DisbursementRequest) -> None:
    """Raise NotFound for anybody but the person who asked."""
    if actor.user_id is None or actor.user_id != request.requester_user_id:
        message = "Only the person who asked can do this."
        raise NotFound(message)


def require_reason(reason: str) -> str:
    """Return the reason, trimmed. Raises ReasonMissing when it is empty."""
    cleaned = reason.strip()
    if not cleaned:
        message = "Give a reason; the people concerned will read it."
        raise ReasonMissing(message, errors={"reason": [message]})
    return cleaned[:1000]
