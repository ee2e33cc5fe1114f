"""The only writer of schedule items: making, dating, re-dating and cancelling them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import on_or_after
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.pregnancy import USUAL_EMBRYO_AGE_DAYS
from seedtrust.domain.cases.models import Case, CaseMilestone
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.dating import (
    Happened,
    Spread,
    amounts,
    ends_with_pregnancy,
    falls_due_on,
    pays_on,
)
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.plans import spreads_of
from seedtrust.domain.terms.states import ItemState, TermKind, TermSchedule, TermState

# What the calendar pays by itself or the fee schedule charges.
DATED_KINDS = frozenset({TermKind.SCHEDULED, TermKind.FEE})
_ONCE: Final = Spread()


@dataclass(frozen=True)
class DateChange:
    """One schedule item whose day moves; without a day after, it waits for its milestone again."""

    item_ref: str
    title: str
    amount_cents: int
    before_on: date | None
    after_on: date | None


@dataclass(frozen=True)
class History:
    """When the milestones of a case last happened, and when pregnancies were lost."""

    days: Mapping[Milestone, date]
    losses: tuple[date, ...]
    embryo_age_days: int

    def with_day(self, code: Milestone, was_on: date, on: date) -> History:
        """Return the history as it would be if a milestone had happened on another day."""
        losses = self.losses
        if code is Milestone.PREGNANCY_LOST:
            losses = tuple(on if day == was_on else day for day in losses)
        return replace(self, days={**self.days, code: on}, losses=losses)


def history_of(session: Session, case_id: int) -> History:
    """Read the recorded milestones of a case, as far as schedules rest on them. One query."""
    rows = session.execute(
        select(CaseMilestone.code, CaseMilestone.occurred_on, CaseMilestone.embryo_age_days)
        .where(CaseMilestone.case_id == case_id)
        .order_by(CaseMilestone.occurrence)
    ).all()
    lost = Milestone.PREGNANCY_LOST
    ages = [age for _code, _on, age in rows if age is not None]
    return History(
        {Milestone(code): on for code, on, _age in rows},
        tuple(on for code, on, _age in rows if code == lost),
        ages[-1] if ages else USUAL_EMBRYO_AGE_DAYS,
    )


def item_title(title: str, number: int, spread: Spread) -> str:
    """Return what one payment of a term is called: its title, and which of how many it is."""
    return title if spread.item_count == 1 else f"{title}, {number} of {spread.item_count}"


def happened(
    term: ContractTerm, spread: Spread, history: History, items: Sequence[ScheduleItem]
) -> Happened:
    """Return what dates the items of one term; an untriggered one has no day yet."""
    trigger = Milestone(term.trigger or "")
    trigger_on = history.days.get(trigger)
    last_on = None if spread.last_trigger is None else history.days.get(spread.last_trigger)
    if spread.schedule is TermSchedule.PREGNANCY_WEEK and trigger_on is not None:
        # A transfer alone is no pregnancy: its weeks count once the heartbeat is confirmed.
        heartbeat_on = history.days.get(Milestone.HEARTBEAT_CONFIRMED)
        if heartbeat_on is None or heartbeat_on < trigger_on:
            trigger_on = None
    if trigger_on is None or not ends_with_pregnancy(spread, trigger):
        return Happened(trigger_on, last_on, None, history.embryo_age_days)
    after = [day for day in history.losses if day >= trigger_on]
    before = [day for day in history.losses if day < trigger_on]
    earlier = 0
    if before:
        until = on_or_after(max(before))
        earlier = sum(item.due_on is not None and item.due_on <= until for item in items)
    return Happened(
        trigger_on, last_on, min(after) if after else None, history.embryo_age_days, earlier
    )


def plan(session: Session, term: ContractTerm, spread: Spread, history: History) -> None:
    """Make the items of a term, dated as far as their milestones are known already."""
    if TermKind(term.kind) not in DATED_KINDS or term.amount_cents is None or not term.trigger:
        return
    known = happened(term, spread, history, ())
    for number, cents in enumerate(amounts(term.amount_cents, spread), start=1):
        day = pays_on(spread, term.pay_after_days, number, known)
        session.add(
            ScheduleItem(
                id=new_id(),
                reference=new_reference(),
                case_id=term.case_id,
                term_id=term.id,
                number=number,
                amount_cents=cents,
                due_on=day,
                state=(ItemState.WAITING if day is None else ItemState.PLANNED).value,
            )
        )


@dataclass(frozen=True)
class _Target:
    """One item that is neither paid nor asked for, and the day that the milestones give it."""

    item: ScheduleItem
    title: str
    on: date | None
    is_balance: bool

    @property
    def change(self) -> DateChange:
        """Return the change as people read it."""
        item = self.item
        return DateChange(item.reference, self.title, item.amount_cents, item.due_on, self.on)


def _targets(session: Session, case: Case, code: Milestone, history: History) -> Iterator[_Target]:
    """Yield the open items that hang on a milestone, in the order of the contract, locked."""
    terms = session.execute(
        select(ContractTerm)
        .where(
            ContractTerm.case_id == case.id,
            ContractTerm.state == TermState.ACTIVE.value,
            ContractTerm.trigger.is_not(None),
            ContractTerm.kind.in_([kind.value for kind in DATED_KINDS]),
        )
        .order_by(ContractTerm.position)
    ).scalars()
    found = {term.id: term for term in terms}
    spreads = spreads_of(session, list(found))
    hanging = [
        term for term in found.values() if _hangs_on(term, spreads.get(term.id, _ONCE), code)
    ]
    items = lock_where(
        session,
        select(ScheduleItem)
        .where(ScheduleItem.term_id.in_([term.id for term in hanging]))
        .order_by(ScheduleItem.id),
    )
    for term in hanging:
        spread = spreads.get(term.id, _ONCE)
        own = sorted(
            (item for item in items if item.term_id == term.id), key=lambda item: item.number
        )
        known = happened(term, spread, history, own)
        for item in own:
            if item.state in {ItemState.WAITING, ItemState.PLANNED}:
                title = item_title(term.title, item.number, spread)
                day = pays_on(spread, term.pay_after_days, item.number, known)
                yield _Target(item, title, day, spread.last_trigger is code)


def _hangs_on(term: ContractTerm, spread: Spread, code: Milestone) -> bool:
    trigger = Milestone(term.trigger or "")
    if code is Milestone.PREGNANCY_LOST and ends_with_pregnancy(spread, trigger):
        return True
    counts_weeks = spread.schedule is TermSchedule.PREGNANCY_WEEK
    if code is Milestone.HEARTBEAT_CONFIRMED and counts_weeks:
        return True
    return code in {trigger, spread.last_trigger}


def date_items(session: Session, case: Case, code: Milestone) -> list[DateChange]:
    """Give the items that wait for a milestone their day; the caller holds the case's lock.

    A balance that falls due takes later items of its term with it. With a lost pregnancy what
    has fallen due stays owed, and what would come later waits for the next heartbeat. Returns
    what changed, in the order of the contract.
    """
    changes = []
    for target in list(_targets(session, case, code, history_of(session, case.id))):
        item, day = target.item, target.on
        waits = item.state == ItemState.WAITING and day is not None
        stops = day is None and code is Milestone.PREGNANCY_LOST
        comes_sooner = (
            target.is_balance and item.due_on is not None and day is not None and day < item.due_on
        )
        if item.due_on != day and (waits or stops or comes_sooner):
            changes.append(target.change)
            set_day(item, day)
    return changes


def moved_items(
    session: Session, case: Case, code: Milestone, was_on: date, on: date
) -> list[tuple[ScheduleItem, DateChange]]:
    """Return the open items that would move if a milestone had happened on another day.

    Nothing is changed; what is paid or asked for is never among them.
    """
    history = history_of(session, case.id).with_day(code, was_on, on)
    return [
        (target.item, target.change)
        for target in _targets(session, case, code, history)
        if target.item.due_on != target.on
    ]


def set_day(item: ScheduleItem, day: date | None) -> None:
    """Give a locked, open item its day; without one it waits for its milestone again."""
    item.due_on = day
    item.state = (ItemState.WAITING if day is None else ItemState.PLANNED).value


def stop_series(session: Session, case: Case, on: date) -> int:
    """Cancel what month by month would fall due after the agreement ended on a day.

    What has fallen due is owed, and so is what an event has earned once. Returns how many.
    """
    terms = session.execute(
        select(ContractTerm).where(
            ContractTerm.case_id == case.id, ContractTerm.state == TermState.ACTIVE.value
        )
    ).scalars()
    found = {term.id: term for term in terms}
    spreads = {
        term_id: spread
        for term_id, spread in spreads_of(session, list(found)).items()
        if spread.schedule is not TermSchedule.ONCE
    }
    items = lock_where(
        session,
        select(ScheduleItem)
        .where(ScheduleItem.term_id.in_(list(spreads)))
        .order_by(ScheduleItem.id),
    )
    history = history_of(session, case.id)
    stopped = 0
    for item in items:
        term, spread = found[item.term_id], spreads[item.term_id]
        own = [one for one in items if one.term_id == term.id]
        known = happened(term, spread, history, own)
        day = falls_due_on(spread, term.pay_after_days, item.number, known)
        is_owed = item.state == ItemState.PLANNED and day is not None and day <= on
        if item.state in {ItemState.WAITING, ItemState.PLANNED} and not is_owed:
            item.state = ItemState.CANCELLED.value
            stopped += 1
    return stopped


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
