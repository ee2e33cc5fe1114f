"""What is due is decided by the database, not by the tick."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import at_new_york
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.operations.service import begin_job_run, finish_job_run, give_up_runs
from seedtrust.jobs.registry import JOBS, Job

MORNING = Job("morning", (time(5, 30),), lambda _tools: (0, 0), "Runs in the morning.")
NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
DUE = at_new_york(date(2026, 1, 5), 5, 30)


@pytest.mark.parametrize(
    "now, due",
    [
        (at_new_york(date(2026, 1, 5), 5, 29), at_new_york(date(2026, 1, 2), 5, 30)),
        (at_new_york(date(2026, 1, 5), 5, 30), at_new_york(date(2026, 1, 5), 5, 30)),
        (at_new_york(date(2026, 1, 19), 12), at_new_york(date(2026, 1, 16), 5, 30)),
        (at_new_york(date(2026, 3, 9), 6), at_new_york(date(2026, 3, 9), 5, 30)),
        (at_new_york(date(2026, 11, 2), 6), at_new_york(date(2026, 11, 2), 5, 30)),
    ],
    ids=["before the time", "at the time", "on a holiday", "spring forward", "fall back"],
)
def test_a_job_is_due_at_its_time_in_new_york(now: datetime, due: datetime) -> None:
    assert MORNING.last_due(now) == due


def test_every_job_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.says.endswith(".") for job in JOBS)


def _begin(session: Session, now: datetime = NOW) -> int | None:
    alive_since = now - timedelta(minutes=15)
    return begin_job_run(session, "morning", DUE, alive_since=alive_since, now=now)


def test_a_run_is_begun_once(session_factory: sessionmaker[Session]) -> None:
    with session_factory() as session, session.begin():
        assert _begin(session) is not None
    with session_factory() as session, session.begin():
        assert _begin(session) is None


def test_a_finished_run_is_never_begun_again(session_factory: sessionmaker[Session]) -> None:
    with session_factory() as session, session.begin():
        run_id = _begin(session)
        assert run_id is not None
        finish_job_run(session, run_id, done=3, failed=1, now=NOW)
    with session_factory() as session, session.begin():
        assert _begin(session, NOW + timedelta(days=1)) is None
        run = session.execute(select(JobRun)).scalar_one()
        assert (run.items_done, run.items_failed) == (3, 1)


def test_the_run_of_a_dead_worker_is_taken_over(session_factory: sessionmaker[Session]) -> None:
    with session_factory() as session, session.begin():
        first = _begin(session)
    with session_factory() as session, session.begin():
        assert _begin(session, NOW + timedelta(minutes=16)) == first


def test_runs_can_be_given_up_where_no_worker_is_alive(
    session_factory: sessionmaker[Session],
) -> None:
    with session_factory() as session, session.begin():
        first = _begin(session)
        assert give_up_runs(session) == 1
    with session_factory() as session, session.begin():
        assert _begin(session) == first
