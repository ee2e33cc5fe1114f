"""The only writer of schedule items: making, dating, re-dating and cancelling them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import on_or_after
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id, new_reference
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.states import ItemState, TermKind, TermState

# What the calendar pays by itself or the fee schedule charges.
DATED_KINDS = frozenset({TermKind.SCHEDULED, TermKind.FEE})


@dataclass(frozen=True)
class DateChange:
    """One schedule item whose day moved."""

    item_ref: str
    title: str
    amount_cents: int
    before_on: date | None
    after_on: date


def due_on(occurred_on: date, pay_after_days: int) -> date:
    """Return the day on which a term is due: calendar days after its trigger, then a banking day.

    Where a contract does not say, the next banking day serves for a day when banks are closed.
    """
    return on_or_after(occurred_on + timedelta(days=pay_after_days))


def plan(session: Session, term: ContractTerm, recorded: dict[Milestone, date]) -> None:
    """Make the item of a term, dated when its milestone is known already."""
    if TermKind(term.kind) not in DATED_KINDS or term.amount_cents is None or not term.trigger:
        return
    occurred_on = recorded.get(Milestone(term.trigger))
    day = None if occurred_on is None else due_on(occurred_on, term.pay_after_days)
    session.add(
        ScheduleItem(
            id=new_id(),
            reference=new_reference(),
            case_id=term.case_id,
            term_id=term.id,
            number=1,
            amount_cents=term.amount_cents,
            due_on=day,
            state=(ItemState.WAITING if day is None else ItemState.PLANNED).value,
        )
    )


def date_items(
    session: Session, case: Case, code: Milestone, occurred_on: date, *, again: bool = False
) -> list[DateChange]:
    """Give the items that wait for a milestone their day, in the order of the contract.

    With `again` those that have a day and are unpaid move with the corrected milestone; paid
    ones are never touched.
    """
    states = [ItemState.WAITING.value]
    if again:
        states.append(ItemState.PLANNED.value)
    terms = {
        term.id: term
        for term in session.execute(
            select(ContractTerm)
            .where(
                ContractTerm.case_id == case.id,
                ContractTerm.trigger == code.value,
                ContractTerm.state == TermState.ACTIVE.value,
            )
            .order_by(ContractTerm.position)
        ).scalars()
    }
    items = lock_where(
        session,
        select(ScheduleItem).where(
            ScheduleItem.term_id.in_(terms.keys()), ScheduleItem.state.in_(states)
        ),
    )
    changes: list[DateChange] = []
    for item in sorted(items, key=lambda one: (terms[one.term_id].position, one.number)):
        term = terms[item.term_id]
        before, after = item.due_on, due_on(occurred_on, term.pay_after_days)
        item.due_on, item.state = after, ItemState.PLANNED.value
        if before != after:
            changes.append(DateChange(item.reference, term.title, item.amount_cents, before, after))
    return changes


def cancel_items(session: Session, case_id: int, *, term_id: int | None = None) -> int:
    """Cancel the items that will not be paid: of a term that ended, or all that still wait.

    Without a term only items whose milestone never came are cancelled. Returns how many.
    """
    query = select(ScheduleItem).where(ScheduleItem.case_id == case_id)
    if term_id is None:
        query = query.where(ScheduleItem.state == ItemState.WAITING.value)
    else:
        query = query.where(
            ScheduleItem.term_id == term_id,
            ScheduleItem.state.in_((ItemState.WAITING.value, ItemState.PLANNED.value)),
        )
    items = lock_where(session, query.order_by(ScheduleItem.id))
    for item in items:
        item.state = ItemState.CANCELLED.value
    return len(items)
