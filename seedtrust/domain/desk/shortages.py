"""Shortages as staff see them: all of them, one with what made it good and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import SHORTAGE
from seedtrust.domain.funding.models import Deposit, Shortage, ShortageCure, ShortageDecision
from seedtrust.domain.funding.states import (
    CureSource,
    DecisionKind,
    DecisionState,
    ShortageState,
)
from seedtrust.domain.ledger.queries import balance_of

_PER_PAGE = 50


@dataclass(frozen=True)
class ShortageRow:
    """One shortage, in cents."""

    reference: str
    case_ref: str
    case_number: int
    case_name: str
    deposit_ref: str
    state: ShortageState
    amount_cents: int
    cured_cents: int
    advanced_cents: int
    repaid_cents: int
    opened_on: date
    cured_on: date | None
    is_frozen: bool

    @property
    def missing_cents(self) -> int:
        """Return what is still missing."""
        return self.amount_cents - self.cured_cents

    @property
    def owed_cents(self) -> int:
        """Return what the case has not repaid of the company's advance."""
        return self.advanced_cents - self.repaid_cents


@dataclass(frozen=True)
class CureRow:
    """Money that made a shortage good."""

    source: CureSource
    amount_cents: int
    cured_on: date
    cured_by: str
    deposit_ref: str


@dataclass(frozen=True)
class DecisionRow:
    """What was proposed about a shortage, and what came of it."""

    reference: str
    kind: DecisionKind
    state: DecisionState
    amount_cents: int
    reason: str
    proposed_on: date
    proposed_by: str
    proposed_by_user_id: int | None
    decided_on: date | None
    decided_by: str
    transfer_ref: str


@dataclass(frozen=True)
class ShortageDetail:
    """One shortage with everything about it; `available_cents` is what its case has now."""

    row: ShortageRow
    available_cents: int
    cures: tuple[CureRow, ...]
    decisions: tuple[DecisionRow, ...]

    def open_of(self, kind: DecisionKind) -> DecisionRow | None:
        """Return the decision of a kind that is proposed or waits for its money."""
        waiting = (DecisionState.PROPOSED, DecisionState.APPROVED)
        return next((d for d in self.decisions if d.kind is kind and d.state in waiting), None)


@dataclass(frozen=True)
class ShortageTable:
    """One page of shortages; count and missing sum are of all that the filters leave."""

    rows: tuple[ShortageRow, ...]
    count: int
    missing_cents: int


def shortage_table(
    session: Session,
    actor: Actor,
    *,
    state: ShortageState | None = None,
    page: int = 1,
    per_page: int = _PER_PAGE,
) -> ShortageTable:
    """Return a page of shortages, the newest first. Two queries."""
    actor.require(Permission.DEPOSITS_VIEW)
    conditions = [] if state is None else [Shortage.state == state.value]
    found = session.execute(
        _rows()
        .where(*conditions)
        .order_by(Shortage.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    count, missing = session.execute(
        select(func.count(), func.sum(Shortage.amount_cents - Shortage.cured_cents)).where(
            *conditions
        )
    ).one()
    return ShortageTable(tuple(_row(*one) for one in found), count, int(missing or 0))


def shortage_view(session: Session, actor: Actor, reference: str) -> ShortageDetail:
    """Return one shortage with its cures and decisions. Four queries. Raises NotFound."""
    actor.require(Permission.DEPOSITS_VIEW)
    found = session.execute(_rows().where(Shortage.reference == reference)).one_or_none()
    if found is None:
        message = "There is no such shortage."
        raise NotFound(message)
    shortage, case, _ = found
    cures = session.execute(
        select(ShortageCure, Deposit.reference)
        .outerjoin(Deposit, Deposit.id == ShortageCure.deposit_id)
        .where(ShortageCure.shortage_id == shortage.id)
        .order_by(ShortageCure.number)
    )
    decisions = session.execute(
        select(ShortageDecision)
        .where(ShortageDecision.shortage_id == shortage.id)
        .order_by(ShortageDecision.id.desc())
    ).scalars()
    return ShortageDetail(
        _row(*found),
        balance_of(session, case.ledger_account_id).available_cents,
        tuple(
            CureRow(
                CureSource(cure.source), cure.amount_cents, cure.cured_on, cure.cured_by, ref or ""
            )
            for cure, ref in cures
        ),
        tuple(_decision(row) for row in decisions),
    )


def awaited_advances(
    session: Session, *, trust_account_id: int, amount_cents: int
) -> tuple[DecisionRow, ...]:
    """Return the approved advances that a deposit of this amount may be. One query."""
    rows = session.execute(
        select(ShortageDecision)
        .join(Shortage, Shortage.id == ShortageDecision.shortage_id)
        .join(Case, Case.id == Shortage.case_id)
        .where(
            ShortageDecision.open_kind == DecisionKind.ADVANCE.value,
            ShortageDecision.state == DecisionState.APPROVED.value,
            ShortageDecision.amount_cents == amount_cents,
            Case.trust_account_id == trust_account_id,
        )
        .order_by(ShortageDecision.id)
        .limit(20)
    ).scalars()
    return tuple(_decision(row) for row in rows)


def shortage_of_decision(session: Session, actor: Actor, decision_ref: str) -> str:
    """Return the reference of the shortage that a decision is about. Raises NotFound."""
    actor.require(Permission.DEPOSITS_VIEW)
    found = session.execute(
        select(Shortage.reference)
        .join(ShortageDecision, ShortageDecision.shortage_id == Shortage.id)
        .where(ShortageDecision.reference == decision_ref)
    ).scalar_one_or_none()
    if found is None:
        message = "There is no such decision."
        raise NotFound(message)
    return found


def _rows() -> Select[Shortage, Case, str]:
    return (
        select(Shortage, Case, Deposit.reference)
        .join(Case, Case.id == Shortage.case_id)
        .join(Deposit, Deposit.id == Shortage.deposit_id)
    )


def _row(shortage: Shortage, case: Case, deposit_ref: str) -> ShortageRow:
    return ShortageRow(
        shortage.reference,
        case.reference,
        case.number,
        case.name,
        deposit_ref,
        ShortageState(shortage.state),
        shortage.amount_cents,
        shortage.cured_cents,
        shortage.advanced_cents,
        shortage.repaid_cents,
        shortage.opened_on,
        shortage.cured_on,
        case.frozen_by == SHORTAGE,
    )


def _decision(row: ShortageDecision) -> DecisionRow:
    return DecisionRow(
        row.reference,
        DecisionKind(row.kind),
        DecisionState(row.state),
        row.amount_cents,
        row.reason,
        row.proposed_on,
        row.proposed_by,
        row.proposed_by_user_id,
        row.decided_on,
        row.decided_by,
        row.transfer_ref,
    )
