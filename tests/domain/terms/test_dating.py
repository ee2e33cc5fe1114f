"""Instalments, monthly payments and weeks of pregnancy: days and cents as pure arithmetic."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.bankdays import is_banking_day
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.dating import (
    Happened,
    Spread,
    amounts,
    ends_with_pregnancy,
    falls_due_on,
    pays_on,
)
from seedtrust.domain.terms.states import TermSchedule

BASE = Spread(TermSchedule.INSTALMENTS, 9, None, Milestone.DELIVERED, 14)
ALLOWANCE = Spread(TermSchedule.MONTHLY, 11)
CLOTHING = Spread(TermSchedule.PREGNANCY_WEEK, 1, 14)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
COUNTS = st.integers(min_value=1, max_value=60)


def _days(spread: Spread, happened: Happened) -> list[date | None]:
    return [pays_on(spread, 0, n, happened) for n in range(1, spread.item_count + 1)]


def test_the_residue_of_instalments_is_in_the_last() -> None:
    assert amounts(5_200_000, BASE) == [577_778] * 8 + [577_776]


@given(st.integers(min_value=1, max_value=10**9), COUNTS)
def test_instalments_add_up_and_differ_by_the_residue_alone(total: int, count: int) -> None:
    parts = amounts(total, Spread(TermSchedule.INSTALMENTS, count))
    assert sum(parts) == total
    assert len(set(parts[:-1])) <= 1
    assert abs(parts[-1] - parts[0]) <= count


@given(st.integers(min_value=1, max_value=10**9), COUNTS)
def test_monthly_payments_are_all_the_same(cents: int, count: int) -> None:
    assert amounts(cents, Spread(TermSchedule.MONTHLY, count)) == [cents] * count


def test_the_worked_base_goes_month_by_month_and_the_last_follows_the_birth() -> None:
    before = _days(BASE, Happened(date(2025, 4, 18)))
    assert before == [
        date(2025, 5, 1),
        date(2025, 6, 2),
        date(2025, 7, 1),
        date(2025, 8, 1),
        date(2025, 9, 2),
        date(2025, 10, 1),
        date(2025, 11, 3),
        date(2025, 12, 1),
        None,
    ]
    after = _days(BASE, Happened(date(2025, 4, 18), date(2025, 12, 2)))
    assert after == [*before[:-1], date(2025, 12, 16)]


def test_the_worked_allowance_begins_in_the_month_after_signing() -> None:
    days = _days(ALLOWANCE, Happened(date(2025, 2, 14)))
    assert (days[0], days[-1], len(days)) == (date(2025, 3, 3), date(2026, 1, 2), 11)


def test_the_worked_clothing_money_comes_with_fourteen_weeks() -> None:
    assert _days(CLOTHING, Happened(date(2025, 3, 21))) == [date(2025, 6, 9)]
    two_days_later = Happened(date(2025, 3, 21), embryo_age_days=3)
    assert falls_due_on(CLOTHING, 0, 1, two_days_later) == date(2025, 6, 10)


def test_an_early_birth_brings_the_rest_forward_and_takes_nothing_away() -> None:
    days = _days(BASE, Happened(date(2025, 4, 18), date(2025, 9, 20)))
    assert days[:6] == [
        date(2025, 5, 1),
        date(2025, 6, 2),
        date(2025, 7, 1),
        date(2025, 8, 1),
        date(2025, 9, 2),
        date(2025, 10, 1),
    ]
    assert days[6:] == [date(2025, 10, 6)] * 3  # birth and 14 days is a Saturday


@given(DAYS, COUNTS, st.integers(min_value=0, max_value=300), st.integers(0, 60))
def test_with_a_birth_every_item_has_a_banking_day_and_none_comes_after_the_balance(
    heartbeat: date, count: int, until_birth: int, days_after: int
) -> None:
    birth = heartbeat + timedelta(days=until_birth)
    spread = Spread(TermSchedule.INSTALMENTS, count, None, Milestone.DELIVERED, days_after)
    days = [day for day in _days(spread, Happened(heartbeat, birth)) if day is not None]
    assert len(days) == count
    assert days == sorted(days)
    assert all(is_banking_day(day) for day in days)


@given(DAYS, st.integers(min_value=0, max_value=300), COUNTS)
def test_after_a_loss_just_what_had_fallen_due_is_owed(
    heartbeat: date, until_loss: int, count: int
) -> None:
    loss = heartbeat + timedelta(days=until_loss)
    spread = Spread(TermSchedule.INSTALMENTS, count)
    numbers = range(1, count + 1)
    days = [falls_due_on(spread, 0, n, Happened(heartbeat)) for n in numbers]
    kept = [falls_due_on(spread, 0, n, Happened(heartbeat, ended_on=loss)) for n in numbers]
    assert kept == [day if day is not None and day <= loss else None for day in days]


@given(DAYS, st.integers(min_value=2, max_value=30), st.data())
def test_a_new_pregnancy_goes_on_with_the_items_that_are_left(
    second: date, count: int, data: st.DataObject
) -> None:
    spread = Spread(TermSchedule.INSTALMENTS, count)
    paid = data.draw(st.integers(min_value=0, max_value=count - 1))
    resumed = Happened(second, earlier=paid)
    left = [falls_due_on(spread, 0, n, resumed) for n in range(paid + 1, count + 1)]
    anew = [falls_due_on(spread, 0, n, Happened(second)) for n in range(1, count - paid + 1)]
    assert left == anew


@pytest.mark.parametrize(
    "spread, trigger, ends",
    [
        (BASE, Milestone.HEARTBEAT_CONFIRMED, True),
        (CLOTHING, Milestone.EMBRYO_TRANSFERRED, True),
        (ALLOWANCE, Milestone.AGREEMENT_EXECUTED, False),
        (Spread(), Milestone.EMBRYO_TRANSFERRED, False),
    ],
)
def test_what_ends_with_a_pregnancy(spread: Spread, trigger: Milestone, ends: bool) -> None:
    assert ends_with_pregnancy(spread, trigger) is ends
