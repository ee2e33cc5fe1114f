"""Instants are aware and in UTC; dates are New York's, also when the hour is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.clock import FixedClock, Moment, SystemClock, at_new_york, business_date


def test_the_machines_time_is_aware_and_rises() -> None:
    first, second = SystemClock().now(), SystemClock().now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 1, 5, 15, tzinfo=UTC))
    assert clock.now() == clock.now()
    assert clock.advance(timedelta(minutes=5)) == datetime(2026, 1, 5, 15, 5, tzinfo=UTC)
    assert clock.now() == datetime(2026, 1, 5, 15, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "instant, day",
    [
        (datetime(2026, 1, 6, 4, 59, tzinfo=UTC), date(2026, 1, 5)),
        (datetime(2026, 1, 6, 5, 0, tzinfo=UTC), date(2026, 1, 6)),
        (datetime(2026, 7, 6, 3, 59, tzinfo=UTC), date(2026, 7, 5)),
        (datetime(2026, 7, 6, 4, 0, tzinfo=UTC), date(2026, 7, 6)),
    ],
)
def test_a_business_day_begins_at_midnight_in_new_york(instant: datetime, day: date) -> None:
    assert business_date(instant) == day
    assert Moment(datetime(2030, 1, 1, tzinfo=UTC), instant).today == day


def test_a_wall_clock_time_keeps_its_hour_across_the_change() -> None:
    before, after = at_new_york(date(2026, 3, 7), 10), at_new_york(date(2026, 3, 8), 10)
    assert after - before == timedelta(hours=23)
    assert at_new_york(date(2026, 11, 1), 10) - at_new_york(date(2026, 10, 31), 10) == timedelta(
        hours=25
    )


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(4, 23), st.integers(0, 59))
def test_a_wall_clock_time_lies_on_its_day(day: date, hour: int, minute: int) -> None:
    assert business_date(at_new_york(day, hour, minute)) == day
