"""Banking days against the Federal Reserve's own holiday schedule, and as properties."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.bankdays import (
    add_banking_days,
    banking_days_between,
    is_banking_day,
    next_banking_day,
    on_or_after,
    on_or_before,
    previous_banking_day,
)

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
# Holidays of the Federal Reserve as published. In 2026 Independence Day and in 2027 Juneteenth and
# Christmas fall on a Saturday: the Friday before stays open.
CLOSED = {
    2025: "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25",
}


@pytest.mark.parametrize("year", CLOSED)
def test_the_published_schedule_of_a_year(year: int) -> None:
    closed = {date.fromisoformat(f"{year}-{day}") for day in CLOSED[year].split()}
    days = (date(year, 1, 1) + timedelta(days=offset) for offset in range(365))
    weekdays = {day for day in days if day.weekday() < 5}
    assert {day for day in weekdays if not is_banking_day(day)} == closed


@pytest.mark.parametrize("friday", [date(2026, 7, 3), date(2027, 6, 18), date(2027, 12, 24)])
def test_a_saturday_holiday_leaves_the_friday_open(friday: date) -> None:
    assert is_banking_day(friday)


def test_a_sunday_holiday_closes_the_monday() -> None:
    assert not is_banking_day(date(2027, 7, 5))


@given(DAYS)
def test_neighbours_are_banking_days_with_none_between(day: date) -> None:
    before, after = previous_banking_day(day), next_banking_day(day)
    assert before < day < after
    assert is_banking_day(before)
    assert is_banking_day(after)
    between = (before + timedelta(days=n) for n in range(1, (after - before).days))
    assert not any(is_banking_day(one) for one in between if one != day)


@given(DAYS)
def test_a_banking_day_stays_and_another_is_moved(day: date) -> None:
    assert (on_or_after(day) == day) == (on_or_before(day) == day) == is_banking_day(day)
    assert on_or_before(day) <= day <= on_or_after(day)


@given(DAYS, st.integers(1, 300))
def test_counting_forward_and_back_meet(day: date, count: int) -> None:
    start = on_or_after(day)
    end = add_banking_days(start, count)
    assert add_banking_days(end, -count) == start
    assert banking_days_between(start, end) == count
    assert banking_days_between(end, start) == 0


@given(DAYS)
def test_no_days_at_all_roll_forward(day: date) -> None:
    assert add_banking_days(day, 0) == on_or_after(day)
