"""Clocks: real time for tokens and audit, business time for dates and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is moved; for tests and the player of journeys."""

    at: datetime

    def now(self) -> datetime:
        """Return the instant at which the clock stands."""
        return self.at

    def advance(self, step: timedelta) -> datetime:
        """Move forward by `step` and return the new instant."""
        self.at += step
        return self.at


def business_date(instant: datetime) -> date:
    """Return the calendar date in New York, where the bank's days are counted."""
    return instant.astimezone(NEW_YORK).date()


def at_new_york(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the UTC instant of a wall-clock time in New York on a day."""
    return datetime.combine(day, time(hour, minute), tzinfo=NEW_YORK).astimezone(UTC)


@dataclass(frozen=True)
class Moment:
    """Both clocks at one call: `at` is real, `business_at` rules dates and what is due."""

    at: datetime
    business_at: datetime

    @property
    def today(self) -> date:
        """Return the business date in New York."""
        return business_date(self.business_at)
