"""Deposits as staff see them, and the cases that one may belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from seedtrust.core.db import is_text
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.stages import ENDED
from seedtrust.domain.cases.states import STAGE_LABELS, Stage
from seedtrust.domain.funding.models import CheckClearance, Deposit, Shortage
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.payments.models import TrustAccount

_PER_PAGE = 50


@dataclass(frozen=True)
class DepositView:
    """One deposit, whole, in cents."""

    reference: str
    amount_cents: int
    state: DepositState
    account: str
    trust_account_id: int
    case_ref: str
    case_number: int | None
    case_name: str
    rail: str
    bank_reference: str
    sender_name: str
    text: str
    received_on: date
    matched_on: date | None
    matched_by: str
    on_statement: bool
    collects_on: date | None
    returned_on: date | None
    return_reason: str
    shortage_cents: int
    shortage_ref: str


@dataclass(frozen=True)
class DepositTable:
    """One page of deposits, and count and sum of everything that the filters leave."""

    rows: tuple[DepositView, ...]
    count: int
    total_cents: int


@dataclass(frozen=True)
class Candidate:
    """A case that a deposit may belong to."""

    reference: str
    number: int
    name: str
    stage_label: str
    funding_required_cents: int


def deposit_table(
    session: Session,
    actor: Actor,
    *,
    state: DepositState | None = None,
    search: str = "",
    page: int = 1,
    per_page: int = _PER_PAGE,
) -> DepositTable:
    """Return a page of deposits, the newest first. Two queries."""
    actor.require(Permission.DEPOSITS_VIEW)
    conditions = [] if state is None else [Deposit.state == state.value]
    text = search.strip()
    if text:
        words = [
            is_text(Deposit.reference, text.upper()),
            is_text(Deposit.bank_reference, text),
            Deposit.sender_name.icontains(text, autoescape=True),
            Deposit.text.icontains(text, autoescape=True),
        ]
        conditions.append(or_(*words))
    rows = session.execute(
        _rows()
        .where(*conditions)
        .order_by(Deposit.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    count, total = session.execute(
        select(func.count(), func.sum(Deposit.amount_cents)).where(*conditions)
    ).one()
    return DepositTable(
        tuple(_view(*row) for row in rows),
        count,
        int(total or 0),
    )


def deposit_view(session: Session, actor: Actor, reference: str) -> DepositView:
    """Return one deposit. Raises NotFound."""
    actor.require(Permission.DEPOSITS_VIEW)
    found = session.execute(_rows().where(Deposit.reference == reference)).one_or_none()
    if found is None:
        message = "There is no such deposit."
        raise NotFound(message)
    return _view(*found)


def _rows() -> Select[Deposit, Case, str, CheckClearance, int | None, str | None]:
    return (
        select(
            Deposit,
            Case,
            TrustAccount.name,
            CheckClearance,
            Shortage.amount_cents,
            Shortage.reference,
        )
        .outerjoin(Case, Case.id == Deposit.case_id)
        .join(TrustAccount, TrustAccount.id == Deposit.trust_account_id)
        .outerjoin(CheckClearance, CheckClearance.deposit_id == Deposit.id)
        .outerjoin(Shortage, Shortage.deposit_id == Deposit.id)
    )


def _view(  # noqa: PLR0917 - the columns of one row
    deposit: Deposit,
    case: Case | None,
    account: str,
    check: CheckClearance | None,
    shortage_cents: int | None,
    shortage_ref: str | None,
) -> DepositView:
    return DepositView(
        deposit.reference,
        deposit.amount_cents,
        DepositState(deposit.state),
        account,
        deposit.trust_account_id,
        "" if case is None else case.reference,
        None if case is None else case.number,
        "" if case is None else case.name,
        deposit.rail,
        deposit.bank_reference,
        deposit.sender_name,
        deposit.text,
        deposit.received_on,
        deposit.matched_on,
        deposit.matched_by,
        deposit.reconciliation_status == "matched",
        None if check is None else check.collects_on,
        None if check is None else check.returned_on,
        "" if check is None else check.return_reason,
        shortage_cents or 0,
        shortage_ref or "",
    )


def candidates(
    session: Session, actor: Actor, deposit: DepositView, search: str = "", *, limit: int = 20
) -> list[Candidate]:
    """Return open cases of the deposit's trust account, those that wait for money first."""
    actor.require(Permission.DEPOSITS_MATCH)
    query = select(Case).where(
        Case.trust_account_id == deposit.trust_account_id,
        Case.stage.not_in([stage.value for stage in ENDED]),
    )
    text = search.strip()
    if text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - numbers that fit the column
        query = query.where(Case.number == int(text))
    elif text:
        query = query.where(
            or_(is_text(Case.reference, text.upper()), Case.name.icontains(text, autoescape=True))
        )
    waits = Case.stage == Stage.PENDING_FUNDING.value
    rows = session.execute(query.order_by(waits.desc(), Case.id.desc()).limit(limit)).scalars()
    return [
        Candidate(
            row.reference,
            row.number,
            row.name,
            STAGE_LABELS[Stage(row.stage)],
            row.funding_required_cents,
        )
        for row in rows
    ]
