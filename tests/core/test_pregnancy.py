"""Weeks of pregnancy and firsts of months, against worked dates and as properties."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.pregnancy import (
    child_due_on,
    first_of_month_after,
    gestational_age,
    week_reached_on,
    week_zero_on,
)

DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
AGES = st.sampled_from([3, 5])


@pytest.mark.parametrize("age, weeks_and_days", [(5, (2, 5)), (3, (2, 3))])
def test_a_transfer_is_counted_as_doctors_count_it(
    age: int, weeks_and_days: tuple[int, int]
) -> None:
    day = date(2025, 3, 21)
    assert gestational_age(day, day, age) == weeks_and_days


def test_a_worked_pregnancy() -> None:
    transfer = date(2025, 3, 21)
    assert week_zero_on(transfer) == date(2025, 3, 2)
    assert gestational_age(transfer, date(2025, 4, 18)) == (6, 5)
    assert week_reached_on(transfer, 14) == date(2025, 6, 8)
    assert child_due_on(transfer) == date(2025, 12, 7)
    assert gestational_age(transfer, date(2025, 12, 2)) == (39, 2)


@pytest.mark.parametrize("age, days", [(5, 261), (3, 263)])
def test_a_child_is_due_so_many_days_after_the_transfer(age: int, days: int) -> None:
    assert (child_due_on(date(2025, 3, 21), age) - date(2025, 3, 21)).days == days


@pytest.mark.parametrize("age", [0, 2, 4, 6, -3])
def test_other_embryos_are_refused(age: int) -> None:
    with pytest.raises(ValueError, match="day 3 or day 5"):
        week_zero_on(date(2025, 3, 21), age)


@given(DAYS, AGES, st.integers(min_value=3, max_value=42))
def test_the_day_that_reaches_a_week_is_its_first(transfer: date, age: int, week: int) -> None:
    day = week_reached_on(transfer, week, age)
    assert gestational_age(transfer, day, age) == (week, 0)
    assert gestational_age(transfer, day - timedelta(days=1), age) == (week - 1, 6)


@pytest.mark.parametrize(
    "day, months, first",
    [
        (date(2025, 4, 18), 1, date(2025, 5, 1)),
        (date(2025, 5, 1), 1, date(2025, 6, 1)),
        (date(2025, 12, 31), 1, date(2026, 1, 1)),
        (date(2024, 1, 31), 13, date(2025, 2, 1)),
    ],
)
def test_the_first_of_the_month_after(day: date, months: int, first: date) -> None:
    assert first_of_month_after(day, months) == first


@given(DAYS, st.integers(min_value=1, max_value=60))
def test_firsts_follow_one_another_month_by_month(day: date, months: int) -> None:
    first, following = first_of_month_after(day, months), first_of_month_after(day, months + 1)
    assert first.day == 1
    assert first > day
    assert first_of_month_after(first) == following
    assert 28 <= (following - first).days <= 31
