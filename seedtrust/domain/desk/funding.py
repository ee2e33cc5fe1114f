"""Requests for funds as staff see them: all of them, one with its deposits, those of a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import Deposit, FundingAllocation, FundingRequest
from seedtrust.domain.funding.states import OPEN_FUNDING, FundingState

_PER_PAGE = 50
_ON_A_CARD = 5


@dataclass(frozen=True)
class FundingRow:
    """One request for funds, in cents."""

    reference: str
    case_ref: str
    case_number: int
    case_name: str
    state: FundingState
    reason: str
    amount_cents: int
    funded_cents: int
    raised_on: date
    raised_by: str
    sent_on: date | None
    due_on: date | None
    reminded_on: date | None
    closed_on: date | None
    short_on: date | None
    short_cents: int

    @property
    def open_cents(self) -> int:
        """Return what is still expected."""
        return self.amount_cents - self.funded_cents

    @property
    def is_open(self) -> bool:
        """Tell whether it can still be withdrawn."""
        return self.state in OPEN_FUNDING


@dataclass(frozen=True)
class FundingPart:
    """Money of a deposit that went towards a request."""

    deposit_ref: str
    received_on: date
    sender_name: str
    amount_cents: int
    taken_back_on: date | None


@dataclass(frozen=True)
class FundingTable:
    """One page of requests for funds; count and open sum are of all that the filters leave."""

    rows: tuple[FundingRow, ...]
    count: int
    open_cents: int


def funding_table(
    session: Session,
    actor: Actor,
    *,
    state: FundingState | None = None,
    page: int = 1,
    per_page: int = _PER_PAGE,
) -> FundingTable:
    """Return a page of requests for funds, the newest first. Two queries."""
    actor.require(Permission.DEPOSITS_VIEW)
    row = FundingRequest
    conditions = [] if state is None else [row.state == state.value]
    found = session.execute(
        select(row, Case)
        .join(Case, Case.id == row.case_id)
        .where(*conditions)
        .order_by(row.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    count, total = session.execute(
        select(func.count(), func.sum(row.amount_cents - row.funded_cents)).where(*conditions)
    ).one()
    return FundingTable(tuple(_row(one, case) for one, case in found), count, int(total or 0))


def funding_view(
    session: Session, actor: Actor, reference: str
) -> tuple[FundingRow, tuple[FundingPart, ...]]:
    """Return one request for funds and the deposits that went towards it. Raises NotFound."""
    actor.require(Permission.DEPOSITS_VIEW)
    found = session.execute(
        select(FundingRequest, Case)
        .join(Case, Case.id == FundingRequest.case_id)
        .where(FundingRequest.reference == reference)
    ).one_or_none()
    if found is None:
        message = "There is no such request for funds."
        raise NotFound(message)
    parts = session.execute(
        select(FundingAllocation, Deposit)
        .join(Deposit, Deposit.id == FundingAllocation.deposit_id)
        .where(FundingAllocation.funding_request_id == found[0].id)
        .order_by(FundingAllocation.id)
    )
    return _row(found[0], found[1]), tuple(
        FundingPart(
            deposit.reference,
            deposit.received_on,
            deposit.sender_name,
            part.amount_cents,
            part.taken_back_on,
        )
        for part, deposit in parts
    )


def funding_of_case(session: Session, case: Case) -> tuple[FundingRow, ...]:
    """Return the newest requests for funds of a case, five at most. One query."""
    rows = session.execute(
        select(FundingRequest)
        .where(FundingRequest.case_id == case.id)
        .order_by(FundingRequest.id.desc())
        .limit(_ON_A_CARD)
    ).scalars()
    return tuple(_row(row, case) for row in rows)


def _row(row: FundingRequest, case: Case) -> FundingRow:
    return FundingRow(
        row.reference,
        case.reference,
        case.number,
        case.name,
        FundingState(row.state),
        row.reason,
        row.amount_cents,
        row.funded_cents,
        row.raised_on,
        row.raised_by,
        row.sent_on,
        row.due_on,
        row.reminded_on,
        row.closed_on,
        row.short_on,
        row.short_cents,
    )
