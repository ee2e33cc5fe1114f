"""The night job that ends sessions which ran out: by its schedule, once a night, doing no harm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.permissions import Role
from seedtrust.domain.identity import sessions
from seedtrust.domain.identity.models import User, WebSession
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.identity.states import SessionStage
from seedtrust.domain.operations.models import JobRun
from seedtrust.jobs.registry import JOBS
from seedtrust.jobs.schedule import run_job
from tests.factories.case_world import REAL_TIME, person
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.fakes.bank import FakeBank
from tests.support.databases import on_both_databases

CLEAN: Final = next(job for job in JOBS if job.name == "identity.clean")
HOUR: Final = 3_600


@pytest.fixture
def desk(database_url: str) -> Iterator[JobDesk[FakeBank]]:
    """Return a desk from which jobs run."""
    with database_of_jobs(database_url):
        yield JobDesk.open(FakeBank())


def ran(desk: JobDesk[FakeBank], day: date) -> bool:
    """Run the job of a night, unless that was done."""
    tools = desk.at(day, 3)
    due_at = CLEAN.last_due(tools.moment().business_at)
    assert due_at is not None
    return run_job(tools, CLEAN, due_at)


@on_both_databases
def test_the_night_ends_what_ran_out_and_leaves_what_is_in_use(
    session_factory: sessionmaker[Session], desk: JobDesk[FakeBank]
) -> None:
    def open_one(session: Session, now: datetime) -> None:
        user = session.get_one(User, person(session, "Ada Nowak", Role.AUDITOR).user_id)
        sessions.open_session(
            session, user, SessionStage.FULL, client=Client(), absolute_seconds=43_200, now=now
        )

    def reasons() -> list[str | None]:
        with session_factory() as session, session.begin():
            query = select(WebSession.end_reason).order_by(WebSession.started_at)
            return list(session.execute(query).scalars())

    with session_factory() as session, session.begin():
        open_one(session, REAL_TIME)
    assert ran(desk, date(2026, 1, 6))
    assert reasons() == [None]
    # The first has not been seen for an hour, the second has just begun.
    desk.later(HOUR)
    with session_factory() as session, session.begin():
        open_one(session, desk.tools.clock.now())
    assert not ran(desk, date(2026, 1, 6))
    assert reasons() == [None, None]
    assert ran(desk, date(2026, 1, 7))
    assert reasons() == ["expired", None]
    with session_factory() as session, session.begin():
        runs = session.execute(select(JobRun).order_by(JobRun.due_at)).scalars().all()
    assert [(run.items_done, run.items_failed, run.error) for run in runs] == [(1, 0, "")] * 2
