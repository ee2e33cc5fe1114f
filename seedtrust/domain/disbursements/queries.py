"""Reading requests: the one accessor, lists with counts, the whole of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.anonymity import Veil
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import (
    case_for,
    cases_in_scope,
    party_label,
    side_of,
    sides_of,
)
from seedtrust.domain.cases.scope import reach
from seedtrust.domain.cases.states import Side
from seedtrust.domain.disbursements.limits import Limits, limits_on
from seedtrust.domain.disbursements.models import (
    DisbursementApproval,
    DisbursementEvidence,
    DisbursementLine,
    DisbursementRequest,
    DisbursementStep,
)
from seedtrust.domain.disbursements.states import (
    CLIENT_LABELS,
    OPEN_STATES,
    STATE_LABELS,
    STATE_TONES,
    RequestState,
)
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import is_visible
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms.models import ContractTerm

SEEDTRUST = "SeedTrust"


@dataclass(frozen=True)
class RequestRow:
    """One request as a list shows it, in the words that the viewer may read."""

    reference: str
    case_ref: str
    case_number: int
    kind: str
    category: str
    tax_class: str
    state: str
    label: str
    tone: str
    amount_cents: int
    approved_cents: int | None
    payee: str
    requester: str
    requested_on: date
    pay_on: date | None
    description: str
    clause: str
    version: int


@dataclass(frozen=True)
class LineView:
    """One item of a request."""

    number: int
    description: str
    amount_cents: int
    serves_on: date | None
    quantity_hundredths: int | None
    approved_cents: int | None


@dataclass(frozen=True)
class EvidenceView:
    """One document that supports a request."""

    reference: str
    title: str
    content_type: str
    size_bytes: int
    sha256: str
    uploaded_by: str


@dataclass(frozen=True)
class StepView:
    """One step of a request's life."""

    label: str
    tone: str
    actor: str
    amount_cents: int | None
    clause: str
    reason: str
    on: date
    at: datetime


@dataclass(frozen=True)
class TermView:
    """The clause that a request rests on."""

    clause: str
    title: str
    category: str
    tax_class: str
    approver: str
    amount_cents: int | None
    cap_cents: int | None
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class RequestDetail:
    """Everything about one request that the viewer may see."""

    row: RequestRow
    state_reason: str
    duplicate_reason: str
    reviewer: str
    lines: tuple[LineView, ...]
    evidence: tuple[EvidenceView, ...]
    steps: tuple[StepView, ...]
    approvals: tuple[str, ...]
    term: TermView | None
    limits: Limits | None
    payee_ref: str
    content_hash: str
    is_requester: bool


def locked_request(
    session: Session, actor: Actor, reference: str, permission: Permission
) -> tuple[Case, DisbursementRequest]:
    """Lock a request's case, then the request, both fresh. Raises NotFound out of reach."""
    case_ref = session.execute(
        select(Case.reference)
        .join(DisbursementRequest, DisbursementRequest.case_id == Case.id)
        .where(DisbursementRequest.reference == reference)
    ).scalar_one_or_none()
    if case_ref is None:
        raise _missing()
    case = case_for(session, actor, case_ref, permission, locked=True)
    rows = lock_where(
        session, select(DisbursementRequest).where(DisbursementRequest.reference == reference)
    )
    _visible(session, actor, case, rows[0])
    return case, rows[0]


def _missing() -> NotFound:
    message = "There is no such request, or it is not yours to see."
    return NotFound(message)


def _visible(
    session: Session, actor: Actor, case: Case, request: DisbursementRequest
) -> Side | None:
    """Return the viewer's side. The carrier's side sees its own requests and payments only."""
    side = side_of(session, actor, case.id)
    if side is Side.CARRIER and not _concerns_carrier(session, actor, request):
        raise _missing()
    return side


def _concerns_carrier(session: Session, actor: Actor, request: DisbursementRequest) -> bool:
    if request.requester_user_id == actor.user_id:
        return True
    return (
        session.execute(
            select(CaseParty.id)
            .join(Payee, Payee.party_id == CaseParty.id)
            .where(Payee.id == request.payee_id, CaseParty.user_id == actor.user_id)
        ).first()
        is not None
    )


def list_requests(
    session: Session,
    actor: Actor,
    *,
    case_ref: str | None = None,
    states: Sequence[RequestState] = (),
    category: str | None = None,
    search: str = "",
    before_id: int | None = None,
    limit: int = 50,
) -> tuple[list[RequestRow], int | None]:
    """Return requests in the actor's scope, newest first, and the cursor of the next page.

    Four queries at most, whatever the number of rows.
    """
    query = _scoped(session, actor, case_ref)
    if states:
        query = query.where(DisbursementRequest.state.in_([state.value for state in states]))
    if category:
        query = query.where(DisbursementRequest.category == category)
    if search:
        query = query.where(_matches(search))
    if before_id is not None:
        query = query.where(DisbursementRequest.id < before_id)
    found = session.execute(query.order_by(DisbursementRequest.id.desc()).limit(limit + 1)).all()
    page = found[:limit]
    words = _Words(session, actor, {case.id: case for _, case, _ in page})
    rows = [words.row(request, case, payee) for request, case, payee in page]
    return rows, (page[-1][0].id if len(found) > limit else None)


def _matches(search: str) -> ColumnElement[bool]:
    text = search.strip()
    if text.isdigit():
        return Case.number == int(text)
    return DisbursementRequest.reference.startswith(text.upper(), autoescape=True)


def _scoped(
    session: Session, actor: Actor, case_ref: str | None
) -> Select[DisbursementRequest, Case, Payee]:
    query = (
        select(DisbursementRequest, Case, Payee)
        .join(Case, Case.id == DisbursementRequest.case_id)
        .join(Payee, Payee.id == DisbursementRequest.payee_id)
    )
    if case_ref is not None:
        case = case_for(session, actor, case_ref, Permission.REQUESTS_VIEW)
        query = query.where(DisbursementRequest.case_id == case.id)
    else:
        query = cases_in_scope(query, actor, Permission.REQUESTS_VIEW)
    if actor.is_staff or actor.is_system:
        return query
    own_payees = (
        select(Payee.id)
        .join(CaseParty, CaseParty.id == Payee.party_id)
        .where(CaseParty.user_id == actor.user_id)
    )
    carrier_cases = select(CaseParty.case_id).where(
        CaseParty.user_id == actor.user_id, CaseParty.side == Side.CARRIER.value
    )
    return query.where(
        DisbursementRequest.case_id.not_in(carrier_cases)
        | DisbursementRequest.payee_id.in_(own_payees)
        | (DisbursementRequest.requester_user_id == actor.user_id)
    )


class _Words:
    """Turns rows into what one viewer may read: two queries for any number of cases."""

    def __init__(self, session: Session, actor: Actor, cases: Mapping[int, Case]) -> None:
        self._actor = actor
        self._cases = cases
        self._sides = sides_of(session, actor, cases.keys())
        parties = session.execute(
            select(CaseParty).where(CaseParty.case_id.in_(cases.keys()))
        ).scalars()
        self._veils: dict[int, Veil] = {}
        self._by_id: dict[int, CaseParty] = {}
        self._by_user: dict[tuple[int, int], CaseParty] = {}
        for party in parties:
            self._by_id[party.id] = party
            if party.user_id is not None:
                self._by_user[party.case_id, party.user_id] = party

    @property
    def _inside(self) -> bool:
        return self._actor.is_staff or self._actor.is_system

    def payee(self, case: Case, payee: Payee) -> str:
        """Return the payee's name, or the alias or label that hides it."""
        party = self._by_id.get(payee.party_id) if payee.party_id else None
        if party is not None:
            return party_label(case, party, self._sides.get(case.id))
        if self._inside or not case.anonymous:
            return payee.name
        return payee.label or self.text(case, payee.name, None)

    def person(self, case: Case, user_id: int | None, name: str) -> str:
        """Return who acted: an alias across sides, the company for its staff."""
        party = self._by_user.get((case.id, user_id)) if user_id is not None else None
        if party is not None:
            return party_label(case, party, self._sides.get(case.id))
        return name if self._inside else SEEDTRUST

    def text(self, case: Case, written: str, author_id: int | None) -> str:
        """Return what somebody wrote, without the other side's names; own words stay."""
        if self._inside or (author_id is not None and author_id == self._actor.user_id):
            return written
        if case.id not in self._veils:
            parties = [party for party in self._by_id.values() if party.case_id == case.id]
            self._veils[case.id] = Veil(case, parties, self._sides.get(case.id))
        return self._veils[case.id].text(written)

    def label(self, state: str) -> str:
        """Return the state's word for this viewer."""
        labels = STATE_LABELS if self._inside else CLIENT_LABELS
        return labels[RequestState(state)]

    def row(self, request: DisbursementRequest, case: Case, payee: Payee) -> RequestRow:
        """Return the list row of one request."""
        return RequestRow(
            request.reference,
            case.reference,
            case.number,
            request.kind,
            request.category,
            request.tax_class,
            request.state,
            self.label(request.state),
            STATE_TONES[RequestState(request.state)],
            request.amount_cents,
            request.approved_cents,
            self.payee(case, payee),
            self.person(case, request.requester_user_id, request.requester_name),
            request.requested_on,
            request.pay_on,
            self.text(case, request.description, request.requester_user_id),
            request.clause,
            request.version,
        )


def request_detail(session: Session, actor: Actor, reference: str) -> RequestDetail:
    """Return one request whole. Raises NotFound when missing or out of reach."""
    found = session.execute(
        select(DisbursementRequest, Case, Payee, ContractTerm)
        .join(Case, Case.id == DisbursementRequest.case_id)
        .join(Payee, Payee.id == DisbursementRequest.payee_id)
        .outerjoin(ContractTerm, ContractTerm.id == DisbursementRequest.term_id)
        .where(DisbursementRequest.reference == reference, reach(actor, Permission.REQUESTS_VIEW))
    ).one_or_none()
    if found is None:
        raise _missing()
    request, case, payee, term = found
    side = _visible(session, actor, case, request)
    words = _Words(session, actor, {case.id: case})
    inside = actor.is_staff or actor.is_system
    author = request.requester_user_id
    steps = _step_views(session, words, case, request)
    return RequestDetail(
        row=words.row(request, case, payee),
        state_reason=request.state_reason if inside else _client_reason(request, steps),
        duplicate_reason=words.text(case, request.duplicate_reason, author),
        reviewer=words.person(case, request.reviewer_user_id, request.reviewer_name),
        lines=_line_views(session, words, case, request),
        evidence=_evidence_views(session, words, case, request, side),
        steps=steps,
        approvals=_approval_names(session, words, case, request),
        term=_term_view(term),
        limits=_limits(session, request),
        payee_ref=payee.reference,
        content_hash="",
        is_requester=actor.user_id is not None and actor.user_id == request.requester_user_id,
    )


_UNDECIDED = frozenset(
    {
        RequestState.DRAFT,
        RequestState.SUBMITTED,
        RequestState.IN_REVIEW,
        RequestState.NEEDS_INFO,
    }
)
_TOLD_TO_CLIENTS = frozenset({RequestState.DENIED, RequestState.NEEDS_INFO, RequestState.CANCELLED})


def _client_reason(request: DisbursementRequest, steps: tuple[StepView, ...]) -> str:
    # Reasons such as a low balance are the parents' affair, not the payee's. The last step that
    # gave a reason says it in words that the viewer may read.
    if request.state not in _TOLD_TO_CLIENTS or not request.state_reason:
        return ""
    return next((step.reason for step in reversed(steps) if step.reason), "")


def _line_views(
    session: Session, words: _Words, case: Case, request: DisbursementRequest
) -> tuple[LineView, ...]:
    rows = session.execute(
        select(DisbursementLine)
        .where(DisbursementLine.request_id == request.id)
        .order_by(DisbursementLine.number)
    ).scalars()
    author = request.requester_user_id
    return tuple(
        LineView(
            row.number,
            words.text(case, row.description, author),
            row.amount_cents,
            row.serves_on,
            row.quantity_hundredths,
            row.approved_cents,
        )
        for row in rows
    )


def _limits(session: Session, request: DisbursementRequest) -> Limits | None:
    # Only what is still to be reviewed; afterwards the lines say what was left of them.
    undecided = request.state in _UNDECIDED and request.term_id is not None
    return limits_on(session, request, request.term_id or 0) if undecided else None


def _evidence_views(
    session: Session, words: _Words, case: Case, request: DisbursementRequest, side: Side | None
) -> tuple[EvidenceView, ...]:
    rows = session.execute(
        select(Document)
        .join(DisbursementEvidence, DisbursementEvidence.document_id == Document.id)
        .where(DisbursementEvidence.request_id == request.id)
        .order_by(Document.id)
    ).scalars()
    return tuple(
        EvidenceView(
            row.reference,
            words.text(case, row.title, row.uploaded_by_user_id),
            row.content_type,
            row.size_bytes,
            row.sha256,
            words.person(case, row.uploaded_by_user_id, row.uploaded_by),
        )
        for row in rows
        if is_visible(row, side)
    )


def _step_views(
    session: Session, words: _Words, case: Case, request: DisbursementRequest
) -> tuple[StepView, ...]:
    rows = session.execute(
        select(DisbursementStep)
        .where(DisbursementStep.request_id == request.id)
        .order_by(DisbursementStep.id)
    ).scalars()
    inside = words.label(RequestState.READY) == STATE_LABELS[RequestState.READY]
    return tuple(
        StepView(
            words.label(row.to_state),
            STATE_TONES[RequestState(row.to_state)],
            words.person(case, row.actor_user_id, row.actor_name),
            row.amount_cents,
            row.clause,
            words.text(case, row.reason, row.actor_user_id)
            if inside or RequestState(row.to_state) in _TOLD_TO_CLIENTS
            else "",
            row.on_business_date,
            row.at,
        )
        for row in rows
    )


def _approval_names(
    session: Session, words: _Words, case: Case, request: DisbursementRequest
) -> tuple[str, ...]:
    rows = session.execute(
        select(DisbursementApproval.user_id)
        .where(
            DisbursementApproval.request_id == request.id,
            DisbursementApproval.approval_round == request.approval_round,
        )
        .order_by(DisbursementApproval.id)
    ).scalars()
    return tuple(words.person(case, user_id, SEEDTRUST) for user_id in rows)


def _term_view(term: ContractTerm | None) -> TermView | None:
    if term is None:
        return None
    return TermView(
        term.clause,
        term.title,
        term.category,
        term.tax_class,
        term.approver,
        term.amount_cents,
        term.cap_cents,
        tuple(str(item) for item in term.evidence),
    )


def queue_counts(session: Session) -> dict[RequestState, tuple[int, int]]:
    """Return count and sum in cents of the requests in each open state, over all cases."""
    rows = session.execute(
        select(
            DisbursementRequest.state,
            func.count(),
            func.sum(
                func.coalesce(DisbursementRequest.approved_cents, DisbursementRequest.amount_cents)
            ),
        )
        .where(DisbursementRequest.state.in_([state.value for state in OPEN_STATES]))
        .group_by(DisbursementRequest.state)
    )
    return {RequestState(state): (count, int(total)) for state, count, total in rows}


def open_requests_of(session: Session, case_id: int) -> int:
    """Return how many requests of a case are still on their way."""
    return session.execute(
        select(func.count())
        .select_from(DisbursementRequest)
        .where(
            DisbursementRequest.case_id == case_id,
            DisbursementRequest.state.in_([state.value for state in OPEN_STATES]),
        )
    ).scalar_one()
