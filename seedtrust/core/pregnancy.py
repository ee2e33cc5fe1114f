"""Weeks of pregnancy counted from an embryo transfer, and firsts of months: pure arithmetic.

Obstetrics counts from a day two weeks before fertilisation: an embryo of five days is transferred
at 2 weeks 5 days, one of three days at 2 weeks 3 days, and the child is due at 40 weeks.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

DAYS_BEFORE_FERTILISATION: Final = 14
EMBRYO_AGES_DAYS: Final = (3, 5)
USUAL_EMBRYO_AGE_DAYS: Final = 5
LAST_WEEK: Final = 42

_WEEK_DAYS: Final = 7
_FULL_TERM_WEEKS: Final = 40
_YEAR_MONTHS: Final = 12


def week_zero_on(transferred_on: date, embryo_age_days: int = USUAL_EMBRYO_AGE_DAYS) -> date:
    """Return the day from which the weeks of a pregnancy are counted.

    Raises ValueError for an embryo that is neither three nor five days old.
    """
    if embryo_age_days not in EMBRYO_AGES_DAYS:
        message = "an embryo is transferred on day 3 or day 5"
        raise ValueError(message)
    return transferred_on - timedelta(days=DAYS_BEFORE_FERTILISATION + embryo_age_days)


def week_reached_on(
    transferred_on: date, week: int, embryo_age_days: int = USUAL_EMBRYO_AGE_DAYS
) -> date:
    """Return the day on which a pregnancy reaches a week: “14 weeks” is 98 days after week zero."""
    return week_zero_on(transferred_on, embryo_age_days) + timedelta(weeks=week)


def child_due_on(transferred_on: date, embryo_age_days: int = USUAL_EMBRYO_AGE_DAYS) -> date:
    """Return the expected day of birth: 261 days after a day-5 transfer, 263 after a day-3 one."""
    return week_reached_on(transferred_on, _FULL_TERM_WEEKS, embryo_age_days)


def gestational_age(
    transferred_on: date, on: date, embryo_age_days: int = USUAL_EMBRYO_AGE_DAYS
) -> tuple[int, int]:
    """Return completed weeks and the days beyond them, as doctors say it: 39 weeks 2 days."""
    return divmod((on - week_zero_on(transferred_on, embryo_age_days)).days, _WEEK_DAYS)


def first_of_month_after(day: date, months: int = 1) -> date:
    """Return the first of the month that begins `months` months after the day's own month.

    “The first of the month following” a first is the next month's first.
    """
    index = day.year * _YEAR_MONTHS + day.month - 1 + months
    return date(index // _YEAR_MONTHS, index % _YEAR_MONTHS + 1, 1)
