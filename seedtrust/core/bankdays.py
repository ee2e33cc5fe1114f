"""Banking days: the Federal Reserve's calendar, counted in New York.

A holiday on a Sunday closes the Monday; a holiday on a Saturday leaves the Friday open
(Federal Reserve holiday schedule), which ordinary US calendars get wrong.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

_DAY = timedelta(days=1)
_SATURDAY = 5


@lru_cache(maxsize=64)
def _closed_days(year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays("XFED", years=year))


def is_banking_day(day: date) -> bool:
    """Tell whether the Federal Reserve, and so the bank, settles on this day."""
    return day.weekday() < _SATURDAY and day not in _closed_days(day.year)


def on_or_after(day: date) -> date:
    """Return the day itself if it is a banking day, else the next one."""
    while not is_banking_day(day):
        day += _DAY
    return day


def on_or_before(day: date) -> date:
    """Return the day itself if it is a banking day, else the one before."""
    while not is_banking_day(day):
        day -= _DAY
    return day


def next_banking_day(day: date) -> date:
    """Return the first banking day strictly after the day."""
    return on_or_after(day + _DAY)


def previous_banking_day(day: date) -> date:
    """Return the last banking day strictly before the day."""
    return on_or_before(day - _DAY)


def add_banking_days(day: date, count: int) -> date:
    """Move `count` banking days from the day; negative counts go back, zero rolls forward."""
    if count == 0:
        return on_or_after(day)
    step = next_banking_day if count > 0 else previous_banking_day
    for _ in range(abs(count)):
        day = step(day)
    return day


def banking_days_between(start: date, end: date) -> int:
    """Count the banking days after `start` up to and including `end`; zero if end is not later."""
    count = 0
    day = start
    while (day := next_banking_day(day)) <= end:
        count += 1
    return count
