"""Payments for staff: the list with totals, and what changed since a payee was last paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVarTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from seedtrust.core.db import is_text
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import (
    INSTRUCTION_LABELS,
    INSTRUCTION_TONES,
    InstructionState,
    Rail,
    ReconciliationStatus,
)

SORTS: Final = {
    "effective": PaymentInstruction.effective_on,
    "amount": PaymentInstruction.amount_cents,
    "payee": PaymentInstruction.payee_name,
    "status": PaymentInstruction.state,
    "case": Case.number,
}
Columns = TypeVarTuple("Columns")


@dataclass(frozen=True)
class PaymentFilters:
    """What the list is narrowed to; empty fields do not narrow."""

    states: Sequence[InstructionState] = ()
    rail: Rail | None = None
    search: str = ""
    unmatched: bool = False


@dataclass(frozen=True)
class PaymentLine:
    """One payment of the list, in cents."""

    reference: str
    run_ref: str
    case_ref: str
    case_number: int
    payee_name: str
    masked_number: str
    category: str
    rail: Rail
    effective_on: date
    amount_cents: int
    label: str
    tone: str
    matched: bool
    trace_number: str


@dataclass(frozen=True)
class PaymentTable:
    """One page of payments, and count and sum of everything that the filters leave."""

    rows: tuple[PaymentLine, ...]
    count: int
    total_cents: int


@dataclass(frozen=True)
class Since:
    """What happened to a payee's account since the payee was last paid."""

    last_paid_on: date | None
    is_changed: bool
    masked_before: str
    active_on: date | None
    verified_by: str
    approved_by: str
    call_back_note: str


def payment_table(
    session: Session,
    actor: Actor,
    *,
    filters: PaymentFilters,
    sort: str = "-effective",
    page: int = 1,
    per_page: int = 50,
) -> PaymentTable:
    """Return a page of payments. Two queries, whatever the number of rows."""
    actor.require(Permission.RUNS_VIEW)
    key = SORTS.get(sort.removeprefix("-"), PaymentInstruction.effective_on)
    order = key.desc() if sort.startswith("-") else key.asc()
    row = PaymentInstruction
    found = session.execute(
        _narrowed(select(row, PaymentRun.reference, Case, DisbursementRequest.category), filters)
        .order_by(order, row.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    count, total = session.execute(
        _narrowed(select(func.count(), func.sum(row.amount_cents)), filters)
    ).one()
    return PaymentTable(
        tuple(
            _line(payment, run_ref, case, category) for payment, run_ref, case, category in found
        ),
        count,
        int(total or 0),
    )


def _narrowed(query: Select[*Columns], filters: PaymentFilters) -> Select[*Columns]:
    row = PaymentInstruction
    query = (
        query.select_from(row)
        .join(PaymentRun, PaymentRun.id == row.run_id)
        .join(Case, Case.id == row.case_id)
        .join(DisbursementRequest, DisbursementRequest.id == row.request_id)
    )
    if filters.states:
        query = query.where(row.state.in_([state.value for state in filters.states]))
    if filters.rail is not None:
        query = query.where(row.rail == filters.rail.value)
    if filters.unmatched:
        query = query.where(
            row.reconciliation_status == ReconciliationStatus.UNMATCHED.value,
            row.state == InstructionState.SETTLED.value,
        )
    text = filters.search.strip()
    if text:
        conditions = [
            is_text(row.reference, text.upper()),
            is_text(row.trace_number, text),
            is_text(row.last_four, text),
            is_text(PaymentRun.reference, text.upper()),
            row.payee_name.icontains(text, autoescape=True),
        ]
        if text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - numbers that fit the column
            conditions.append(Case.number == int(text))
        query = query.where(or_(*conditions))
    return query


def _line(row: PaymentInstruction, run_ref: str, case: Case, category: str) -> PaymentLine:
    state = InstructionState(row.state)
    return PaymentLine(
        row.reference,
        run_ref,
        case.reference,
        case.number,
        row.payee_name,
        masked(row.last_four),
        category,
        Rail(row.rail),
        row.effective_on,
        row.amount_cents,
        INSTRUCTION_LABELS[state],
        INSTRUCTION_TONES[state],
        row.reconciliation_status == ReconciliationStatus.MATCHED.value,
        row.trace_number or "",
    )


def changes_of_run(session: Session, actor: Actor, run_ref: str) -> dict[str, Since]:
    """Return, by payment, what changed since its payee was last paid. One query."""
    actor.require(Permission.RUNS_VIEW)
    row, before = PaymentInstruction, aliased(PaymentInstruction)
    last = (
        select(func.max(before.id))
        .where(
            before.payee_id == row.payee_id,
            before.state == InstructionState.SETTLED.value,
            before.id != row.id,
        )
        .correlate(row)
        .scalar_subquery()
    )
    earlier = aliased(PaymentInstruction)
    rows = session.execute(
        select(row, earlier, PayeeAccount)
        .join(PaymentRun, PaymentRun.id == row.run_id)
        .join(PayeeAccount, PayeeAccount.id == row.payee_account_id)
        .outerjoin(earlier, earlier.id == last)
        .where(PaymentRun.reference == run_ref)
    )
    found: dict[str, Since] = {}
    for payment, paid, account in rows:
        known: PaymentInstruction | None = paid
        found[payment.reference] = Since(
            None if known is None else known.settled_on,
            known is not None and known.account_fingerprint != payment.account_fingerprint,
            "" if known is None else masked(known.last_four),
            account.active_on,
            account.verified_by,
            account.approved_by,
            account.call_back_note,
        )
    return found
