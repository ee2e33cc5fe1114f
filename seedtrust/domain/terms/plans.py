"""How terms spread over the calendar and what caps they have: checking, writing and reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.ids import new_id
from seedtrust.core.money import check_amount_cents, format_dollars
from seedtrust.core.pregnancy import LAST_WEEK
from seedtrust.domain.cases.checks import clean_text, refuse_field
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.dating import PREGNANCY_MILESTONES, Spread, amounts
from seedtrust.domain.terms.models import ContractTerm, TermCap, TermPlan
from seedtrust.domain.terms.states import CapPeriod, TermKind, TermSchedule

MOST_ITEMS: Final = 60
MOST_CAPS: Final = 5
MOST_HUNDREDTHS: Final = 10_000_000
_LONGEST_DELAY: Final = 730
_ONCE: Final = Spread()
_PERIOD_WORDS: Final = {
    CapPeriod.ITEM: "a line",
    CapPeriod.DAY: "a day",
    CapPeriod.WEEK: "a week",
    CapPeriod.JOURNEY: "over the journey",
}


@dataclass(frozen=True)
class Cap:
    """The most that a term pays in a period, in cents, or in hundredths of a unit such as hours."""

    period: CapPeriod
    amount_cents: int | None = None
    quantity_hundredths: int | None = None
    unit: str = ""

    @property
    def words(self) -> str:
        """Return the cap as people say it: “100.00 a day”, “40 hours a week”."""
        if self.amount_cents is not None:
            return f"{format_dollars(self.amount_cents)} {_PERIOD_WORDS[self.period]}"
        return (
            f"{quantity_words(self.quantity_hundredths or 0)} {self.unit} "
            + (_PERIOD_WORDS[self.period])
        )


def quantity_words(hundredths: int) -> str:
    """Print hundredths of a unit without needless zeros: `40`, `7.5`."""
    return format_dollars(hundredths).rstrip("0").rstrip(".")


def check_spread(term: ContractTerm, spread: Spread) -> Spread:
    """Return the spread if it fits its term. Raises Invalid, naming the field."""
    if spread == _ONCE:
        return spread
    if term.kind != TermKind.SCHEDULED:
        raise refuse_field("schedule", "Only what the calendar pays spreads over it.")
    if type(spread.item_count) is not int or not 1 <= spread.item_count <= MOST_ITEMS:
        raise refuse_field("item_count", f"Enter 1 to {MOST_ITEMS} payments.")
    if not spread.is_series and spread.item_count != 1:
        raise refuse_field("item_count", "This is paid once. Choose instalments or monthly.")
    if spread.last_trigger is not None and not spread.is_series:
        raise refuse_field("last_trigger", "Only the last of several payments has its own trigger.")
    if not 0 <= spread.last_pay_after_days <= _LONGEST_DELAY:
        raise refuse_field("last_pay_after_days", f"Enter 0 to {_LONGEST_DELAY} days.")
    _check_week(term, spread)
    if term.amount_cents is not None and min(amounts(term.amount_cents, spread)) < 1:
        raise refuse_field("amount_cents", "The amount is too small for so many instalments.")
    return spread


def _check_week(term: ContractTerm, spread: Spread) -> None:
    by_week = spread.schedule is TermSchedule.PREGNANCY_WEEK
    if by_week != (spread.pregnancy_week is not None):
        raise refuse_field("pregnancy_week", "Name the week of pregnancy, and only for such terms.")
    if spread.pregnancy_week is not None and not 1 <= spread.pregnancy_week <= LAST_WEEK:
        raise refuse_field("pregnancy_week", f"Enter a week from 1 to {LAST_WEEK}.")
    if by_week and term.trigger != Milestone.EMBRYO_TRANSFERRED:
        raise refuse_field("trigger", "Weeks of pregnancy are counted from the embryo transfer.")


def check_caps(term: ContractTerm, caps: Sequence[Cap]) -> tuple[Cap, ...]:
    """Return the caps if they fit their term. Raises Invalid or InvalidAmount."""
    if not caps:
        return ()
    if term.kind != TermKind.REQUESTED:
        raise refuse_field("caps", "Only what is asked for has caps by day, week or line.")
    if len(caps) > MOST_CAPS:
        raise refuse_field("caps", f"Give at most {MOST_CAPS} caps.")
    return tuple(_check_cap(cap) for cap in caps)


def _check_cap(cap: Cap) -> Cap:
    if (cap.amount_cents is None) == (cap.quantity_hundredths is None):
        raise refuse_field("caps", "A cap is an amount or a number of units.")
    if cap.amount_cents is not None:
        check_amount_cents(cap.amount_cents, "caps")
        return Cap(cap.period, amount_cents=cap.amount_cents)
    quantity = cap.quantity_hundredths
    if type(quantity) is not int or not 1 <= quantity <= MOST_HUNDREDTHS:
        raise refuse_field("caps", "Enter a number of units above zero.")
    unit = clean_text(cap.unit, "caps", most=20)
    return Cap(cap.period, quantity_hundredths=quantity, unit=unit)


def write_plan(session: Session, term: ContractTerm, spread: Spread, caps: Sequence[Cap]) -> None:
    """Write a checked spread and checked caps beside their term, which is flushed."""
    if spread != _ONCE:
        session.add(
            TermPlan(
                term_id=term.id,
                schedule=spread.schedule.value,
                item_count=spread.item_count,
                pregnancy_week=spread.pregnancy_week,
                last_trigger=None if spread.last_trigger is None else spread.last_trigger.value,
                last_pay_after_days=spread.last_pay_after_days,
            )
        )
    session.add_all(
        TermCap(
            id=new_id(),
            term_id=term.id,
            number=number,
            period=cap.period.value,
            amount_cents=cap.amount_cents,
            quantity_hundredths=cap.quantity_hundredths,
            unit=cap.unit,
        )
        for number, cap in enumerate(caps, start=1)
    )


def spreads_of(session: Session, term_ids: Collection[int]) -> dict[int, Spread]:
    """Return the spread of each term, in one query; those that pay once are left out."""
    rows = session.execute(select(TermPlan).where(TermPlan.term_id.in_(term_ids))).scalars()
    return {row.term_id: spread_in(row) for row in rows}


def spread_in(row: TermPlan | None) -> Spread:
    """Return the spread that a row holds; without a row a term pays once."""
    if row is None:
        return _ONCE
    return Spread(
        TermSchedule(row.schedule),
        row.item_count,
        row.pregnancy_week,
        None if row.last_trigger is None else Milestone(row.last_trigger),
        row.last_pay_after_days,
    )


def caps_of(session: Session, term_ids: Collection[int]) -> dict[int, tuple[Cap, ...]]:
    """Return the caps of each term in their order, in one query; terms without are left out."""
    rows = session.execute(
        select(TermCap).where(TermCap.term_id.in_(term_ids)).order_by(TermCap.number)
    ).scalars()
    found: dict[int, tuple[Cap, ...]] = {}
    for row in rows:
        cap = Cap(CapPeriod(row.period), row.amount_cents, row.quantity_hundredths, row.unit)
        found[row.term_id] = (*found.get(row.term_id, ()), cap)
    return found


def schedule_words(spread: Spread, trigger: Milestone | None) -> str:
    """Say when a spread term pays; empty for one that pays once after its trigger."""
    if spread.schedule is TermSchedule.PREGNANCY_WEEK:
        return f"when the pregnancy reaches {spread.pregnancy_week} weeks"
    if not spread.is_series:
        return ""
    what = (
        f"{spread.item_count} equal instalments"
        if spread.schedule is TermSchedule.INSTALMENTS
        else f"{spread.item_count} monthly payments"
    )
    stops = ", while the pregnancy lasts" if trigger in PREGNANCY_MILESTONES else ""
    return f"{what} from the first of the month after{stops}"
