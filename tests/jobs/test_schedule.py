"""What is due is decided by the database, not by the tick."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import at_new_york
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.operations.service import (
    RunTurn,
    begin_job_run,
    finish_job_run,
    give_up_runs,
    renew_run,
)
from seedtrust.domain.outbox.service import LEASE
from seedtrust.jobs.registry import JOBS, Job

MORNING = Job("morning", (time(5, 30),), lambda _tools: (0, 0), "Runs in the morning.")
NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
AFTER = NOW + LEASE + timedelta(seconds=1)
DUE = at_new_york(date(2026, 1, 5), 5, 30)
Make = sessionmaker[Session]


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


def _begin(session: Session, now: datetime = NOW) -> RunTurn | None:
    return begin_job_run(session, "morning", DUE, now=now)


def _begun(make: Make, now: datetime = NOW) -> RunTurn:
    with make() as session, session.begin():
        turn = _begin(session, now)
    assert turn is not None
    return turn


def test_a_run_is_begun_once(session_factory: Make) -> None:
    _begun(session_factory)
    with session_factory() as session, session.begin():
        assert _begin(session) is None


def test_a_finished_run_is_never_begun_again(session_factory: Make) -> None:
    turn = _begun(session_factory)
    with session_factory() as session, session.begin():
        assert finish_job_run(session, turn, done=3, failed=1, now=NOW)
    with session_factory() as session, session.begin():
        assert _begin(session, NOW + timedelta(days=1)) is None
        run = session.execute(select(JobRun)).scalar_one()
        assert (run.items_done, run.items_failed) == (3, 1)


def test_the_run_of_a_dead_worker_is_taken_over_when_its_lease_has_run_out(
    session_factory: Make,
) -> None:
    dead = _begun(session_factory)
    with session_factory() as session, session.begin():
        assert _begin(session, NOW + LEASE) is None
    heir = _begun(session_factory, AFTER)
    assert (heir.run_id, heir.fence) == (dead.run_id, dead.fence + 1)


def test_who_was_overtaken_renews_nothing_and_does_not_say_how_the_run_ended(
    session_factory: Make,
) -> None:
    late, heir = _begun(session_factory), _begun(session_factory, AFTER)
    with session_factory() as session, session.begin():
        assert not renew_run(session, late, now=AFTER)
        assert not finish_job_run(session, late, done=9, failed=0, now=AFTER)
    with session_factory() as session, session.begin():
        assert session.get_one(JobRun, heir.run_id).finished_at is None
        assert finish_job_run(session, heir, done=3, failed=0, now=AFTER)
        assert not renew_run(session, heir, now=AFTER), "what is finished is nobody's"


def test_a_run_that_is_renewed_is_never_taken_over(session_factory: Make) -> None:
    turn = _begun(session_factory)
    with session_factory() as session, session.begin():
        assert renew_run(session, turn, now=NOW + LEASE)
    with session_factory() as session, session.begin():
        assert _begin(session, AFTER) is None


def test_runs_can_be_given_up_where_no_worker_is_alive(session_factory: Make) -> None:
    first = _begun(session_factory)
    with session_factory() as session, session.begin():
        assert give_up_runs(session) == 1
    assert _begun(session_factory).run_id == first.run_id
