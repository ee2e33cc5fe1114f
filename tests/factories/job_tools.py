"""Tools of jobs whose clocks a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Generic, TypeVar

from flask import Flask
from sqlalchemy.orm import Session

from seedtrust.core.clock import FixedClock, Moment, at_new_york
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON, Bank
from seedtrust.ext import db
from seedtrust.jobs.tools import Tools
from tests.factories.case_world import REAL_TIME
from tests.factories.payment_world import KEYRING, MONDAY

B = TypeVar("B", bound=Bank)


@dataclass(frozen=True)
class FixedTools(Tools):
    """Tools whose business day is told by the test, not by a row."""

    business_at_day: tuple[date, int, int] = (MONDAY, 10, 0)

    def moment_in(self, session: Session) -> Moment:
        """Return the moment that the test has set."""
        del session
        return self.moment()

    def moment(self) -> Moment:
        """Return the moment that the test has set."""
        day, hour, minute = self.business_at_day
        return Moment(self.clock.now(), at_new_york(day, hour, minute))


@dataclass
class JobDesk(Generic[B]):
    """A place to run jobs at a chosen time against a bank."""

    bank: B
    tools: Tools

    @classmethod
    def open(cls, bank: B, api_bank: Bank | None = None) -> JobDesk[B]:
        """Set up a desk on Monday at ten; one bank takes files and single payments unless told."""
        tools = FixedTools(
            clock=FixedClock(REAL_TIME),
            business_clock="real",
            keyring=KEYRING,
            banks={FILE_DROP: bank, HUNTINGTON: api_bank or bank},
            sandbox=None,
            mailer=_Nothing(),  # type: ignore[arg-type]
            storage=_Nothing(),  # type: ignore[arg-type]
            public_base_url="http://localhost",
            session_idle_seconds=900,
            refresh_grace_seconds=10,
        )
        return cls(bank, tools)

    def at(self, day: date, hour: int = 10, minute: int = 0) -> Tools:
        """Return the tools at another business time."""
        assert isinstance(self.tools, FixedTools)
        self.tools = replace(self.tools, business_at_day=(day, hour, minute))
        return self.tools

    def later(self, seconds: int) -> None:
        """Let real time pass."""
        clock = self.tools.clock
        assert isinstance(clock, FixedClock)
        clock.advance(timedelta(seconds=seconds))


class _Nothing:
    """Stands where a job of payments never reaches."""


@contextmanager
def database_of_jobs(database_url: str) -> Iterator[None]:
    """Give jobs their database, without the doors that they never touch."""
    app = Flask("jobs")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    db.init_app(app)
    with app.app_context():
        yield
        db.session.remove()
        db.engine.dispose()
