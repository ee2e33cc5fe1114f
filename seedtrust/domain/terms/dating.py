"""On which days a dated term pays, and how much: arithmetic over plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from seedtrust.core.bankdays import on_or_after
from seedtrust.core.money import allocate_equally
from seedtrust.core.pregnancy import (
    USUAL_EMBRYO_AGE_DAYS,
    first_of_month_after,
    week_reached_on,
)
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.states import TermSchedule

# What a pregnancy sets off stops with it; an allowance that follows the agreement goes on.
PREGNANCY_MILESTONES: Final = frozenset(
    {
        Milestone.EMBRYO_TRANSFERRED,
        Milestone.HEARTBEAT_CONFIRMED,
        Milestone.MULTIPLES_CONFIRMED,
        Milestone.WEEKS_12,
        Milestone.WEEKS_14,
        Milestone.WEEKS_16,
        Milestone.WEEKS_20,
    }
)
_SERIES: Final = frozenset({TermSchedule.INSTALMENTS, TermSchedule.MONTHLY})


@dataclass(frozen=True)
class Spread:
    """How a term spreads over the calendar; without one it pays once, after its trigger.

    INSTALMENTS divide the term's amount into `item_count` parts, MONTHLY pays it so many times:
    both on the first of the month after the trigger and monthly after. PREGNANCY_WEEK pays once,
    when the pregnancy reaches the week. The last item may wait for a trigger of its own.
    """

    schedule: TermSchedule = TermSchedule.ONCE
    item_count: int = 1
    pregnancy_week: int | None = None
    last_trigger: Milestone | None = None
    last_pay_after_days: int = 0

    @property
    def is_series(self) -> bool:
        """Tell whether several items follow month by month."""
        return self.schedule in _SERIES


@dataclass(frozen=True)
class Happened:
    """The milestones that date the items of one term, as far as they are known.

    `earlier` items of a series belong to a pregnancy that was lost before this one; the count
    starts after them. What would fall due after `ended_on` is not owed.
    """

    trigger_on: date | None
    last_on: date | None = None
    ended_on: date | None = None
    embryo_age_days: int = USUAL_EMBRYO_AGE_DAYS
    earlier: int = 0


def ends_with_pregnancy(spread: Spread, trigger: Milestone) -> bool:
    """Tell whether a term's coming items stop when the pregnancy ends.

    What an event has earned once, such as a transfer, is owed whatever comes after.
    """
    return spread.schedule is not TermSchedule.ONCE and trigger in PREGNANCY_MILESTONES


def amounts(amount_cents: int, spread: Spread) -> list[int]:
    """Return what each item pays, in cents; instalments leave the residue to the last one."""
    if spread.schedule is TermSchedule.INSTALMENTS:
        return allocate_equally(amount_cents, spread.item_count)
    return [amount_cents] * spread.item_count


def falls_due_on(
    spread: Spread, pay_after_days: int, number: int, happened: Happened
) -> date | None:
    """Return the day on which the contract owes item `number`, counted from 1; None if unknown.

    A balance that falls due after birth takes with it every item that would come later, so that
    an early birth neither reduces nor delays what is owed.
    """
    balance_on = None
    if spread.last_trigger is not None and happened.last_on is not None:
        balance_on = happened.last_on + timedelta(days=spread.last_pay_after_days)
    if spread.last_trigger is not None and number == spread.item_count:
        return balance_on
    if happened.trigger_on is None:
        return None
    start = happened.trigger_on
    if spread.schedule is TermSchedule.PREGNANCY_WEEK:
        start = week_reached_on(start, spread.pregnancy_week or 0, happened.embryo_age_days)
    elif spread.is_series:
        start = first_of_month_after(start, number - happened.earlier)
    day = start + timedelta(days=pay_after_days)
    if balance_on is not None:
        day = min(day, balance_on)
    return None if happened.ended_on is not None and day > happened.ended_on else day


def pays_on(spread: Spread, pay_after_days: int, number: int, happened: Happened) -> date | None:
    """Return the day on which item `number` is paid.

    Where a contract does not say, the next banking day serves for a day when banks are closed.
    """
    day = falls_due_on(spread, pay_after_days, number, happened)
    return None if day is None else on_or_after(day)
