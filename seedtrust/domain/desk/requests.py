"""Requests as the staff's queue shows them, and what a reviewer needs beside one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVarTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from seedtrust.core.db import is_text
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import cases_in_scope
from seedtrust.domain.cases.states import STAGE_LABELS, Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import STATE_LABELS, STATE_TONES, RequestState
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms.models import ContractTerm
from seedtrust.domain.terms.requests_seen import NOT_COUNTED

SORTS: Final = {
    "requested": DisbursementRequest.requested_on,
    "amount": DisbursementRequest.amount_cents,
    "pay": DisbursementRequest.pay_on,
    "case": Case.number,
    "status": DisbursementRequest.state,
}
Columns = TypeVarTuple("Columns")


@dataclass(frozen=True)
class RequestFilters:
    """What the queue is narrowed to; empty fields do not narrow."""

    states: Sequence[RequestState] = ()
    category: str = ""
    search: str = ""
    case_id: int | None = None


@dataclass(frozen=True)
class RequestLine:
    """One request of the queue, in cents."""

    reference: str
    case_ref: str
    case_number: int
    case_name: str
    category: str
    payee: str
    requester: str
    description: str
    requested_on: date
    pay_on: date | None
    amount_cents: int
    approved_cents: int | None
    state: RequestState
    label: str
    tone: str
    waiting_since_at: datetime


@dataclass(frozen=True)
class RequestTable:
    """One page of requests, and count and sum of everything that the filters leave."""

    rows: tuple[RequestLine, ...]
    count: int
    total_cents: int


@dataclass(frozen=True)
class Beside:
    """What stands beside a request: its case's money and what is left of its term, in cents."""

    case_name: str
    case_stage_label: str
    requester_user_id: int | None
    request_id: int
    balance: Balance
    minimum_cents: int
    used_cents: int
    cap_cents: int | None

    @property
    def left_cents(self) -> int | None:
        """Return what the cap leaves for this request, None without a cap."""
        return None if self.cap_cents is None else max(self.cap_cents - self.used_cents, 0)


def request_table(
    session: Session,
    actor: Actor,
    *,
    filters: RequestFilters,
    sort: str = "-requested",
    page: int = 1,
    per_page: int = 50,
) -> RequestTable:
    """Return a page of the requests in reach. Two queries, whatever the number of rows."""
    key = SORTS.get(sort.removeprefix("-"), DisbursementRequest.requested_on)
    order = key.desc() if sort.startswith("-") else key.asc()
    found = session.execute(
        _narrowed(select(DisbursementRequest, Case, Payee), actor, filters)
        .order_by(order, DisbursementRequest.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    amount = func.coalesce(DisbursementRequest.approved_cents, DisbursementRequest.amount_cents)
    count, total = session.execute(
        _narrowed(select(func.count(), func.sum(amount)), actor, filters)
    ).one()
    rows = tuple(_line(request, case, payee) for request, case, payee in found)
    return RequestTable(rows, count, int(total or 0))


def _narrowed(query: Select[*Columns], actor: Actor, filters: RequestFilters) -> Select[*Columns]:
    row = DisbursementRequest
    query = (
        query.select_from(row)
        .join(Case, Case.id == row.case_id)
        .join(Payee, Payee.id == row.payee_id)
    )
    query = cases_in_scope(query, actor, Permission.REQUESTS_VIEW)
    if filters.case_id is not None:
        query = query.where(row.case_id == filters.case_id)
    if filters.states:
        query = query.where(row.state.in_([state.value for state in filters.states]))
    if filters.category:
        query = query.where(row.category == filters.category)
    text = filters.search.strip()
    if text:
        conditions = [
            is_text(row.reference, text.upper()),
            Payee.name.icontains(text, autoescape=True),
            row.description.icontains(text, autoescape=True),
        ]
        if text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - numbers that fit the column
            conditions.append(Case.number == int(text))
        query = query.where(or_(*conditions))
    return query


def _line(request: DisbursementRequest, case: Case, payee: Payee) -> RequestLine:
    state = RequestState(request.state)
    return RequestLine(
        request.reference,
        case.reference,
        case.number,
        case.name,
        request.category,
        payee.name,
        request.requester_name,
        request.description,
        request.requested_on,
        request.pay_on,
        request.amount_cents,
        request.approved_cents,
        state,
        STATE_LABELS[state],
        STATE_TONES[state],
        request.state_since_at,
    )


def beside(session: Session, actor: Actor, reference: str) -> Beside:
    """Return what a reviewer looks at beside a request. Two queries. Raises NotFound."""
    other = aliased(DisbursementRequest)
    used = (
        select(func.sum(func.coalesce(other.approved_cents, other.amount_cents)))
        .where(
            other.term_id == DisbursementRequest.term_id,
            other.id != DisbursementRequest.id,
            other.state.not_in(NOT_COUNTED),
        )
        .correlate(DisbursementRequest)
        .scalar_subquery()
    )
    found = session.execute(
        cases_in_scope(
            select(DisbursementRequest, Case, ContractTerm, used)
            .join(Case, Case.id == DisbursementRequest.case_id)
            .outerjoin(ContractTerm, ContractTerm.id == DisbursementRequest.term_id)
            .where(DisbursementRequest.reference == reference),
            actor,
            Permission.REQUESTS_VIEW,
        )
    ).one_or_none()
    if found is None:
        message = "There is no such request, or it is not yours to see."
        raise NotFound(message)
    request: DisbursementRequest = found[0]
    case: Case = found[1]
    term: ContractTerm | None = found[2]
    return Beside(
        case.name,
        STAGE_LABELS[Stage(case.stage)],
        request.requester_user_id,
        request.id,
        ledger.balance_of(session, case.ledger_account_id),
        case.minimum_balance_cents,
        int(found[3] or 0),
        None if term is None else term.cap_cents,
    )
