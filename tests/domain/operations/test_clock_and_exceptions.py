"""The business clock goes forward only; what waits for a person opens once and closes once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import at_new_york
from seedtrust.core.errors import Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.permissions import Actor, ActorKind, Role
from seedtrust.domain.operations.models import ExceptionItem, JobRun
from seedtrust.domain.operations.queries import (
    clock_is_set,
    open_exception_counts,
    open_exceptions,
    unfinished_runs,
)
from seedtrust.domain.operations.service import (
    REAL,
    RunTurn,
    begin_job_run,
    business_now,
    close_exception,
    close_exceptions_of,
    finish_job_run,
    moment_of,
    open_exception,
    renew_run,
    set_business_clock,
)
from seedtrust.domain.outbox.models import OutboxMessage

Make = sessionmaker[Session]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NINE = at_new_york(date(2026, 1, 5), 9)
STAFF = Actor(ActorKind.STAFF, 1, "Nora Feld", frozenset({Role.ESCROW_SPECIALIST}))
PARENT = Actor(ActorKind.PARTY, 2, "Maren Holt", frozenset({Role.INTENDED_PARENT}))


def _move(make: Make, to: datetime, actor: Actor = STAFF) -> None:
    with make() as session, session.begin():
        set_business_clock(session, actor, to, now=NOW)


def _stands_at(make: Make, kind: str = "database") -> datetime:
    with make() as session, session.begin():
        return business_now(session, kind, NOW)


def test_without_a_stored_clock_business_is_where_the_machine_is(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        assert not clock_is_set(session)
    assert _stands_at(session_factory) == NOW


def test_the_clock_moves_forward(session_factory: Make) -> None:
    _move(session_factory, NINE)
    _move(session_factory, NINE + timedelta(days=3))
    assert _stands_at(session_factory) == NINE + timedelta(days=3)


def test_the_clock_never_moves_back(session_factory: Make) -> None:
    _move(session_factory, NINE)
    with pytest.raises(Invalid) as refused:
        _move(session_factory, NINE - timedelta(seconds=1))
    assert list(refused.value.errors) == ["to"]
    assert _stands_at(session_factory) == NINE


def test_moving_to_where_it_stands_changes_nothing(session_factory: Make) -> None:
    _move(session_factory, NINE)
    _move(session_factory, NINE)
    with session_factory() as session, session.begin():
        assert len(session.execute(select(OutboxMessage)).scalars().all()) == 1


def test_a_party_may_not_move_it(session_factory: Make) -> None:
    with pytest.raises(Forbidden):
        _move(session_factory, NINE, PARENT)


def test_each_move_promises_the_simulator_the_same(session_factory: Make) -> None:
    _move(session_factory, NINE)
    with session_factory() as session, session.begin():
        promise = session.execute(select(OutboxMessage)).scalar_one()
        assert (promise.topic, promise.payload) == ("sandbox.clock", {"to": NINE.isoformat()})


def test_the_real_clock_ignores_a_stored_one(session_factory: Make) -> None:
    _move(session_factory, NINE)
    assert _stands_at(session_factory, REAL) == NOW
    with session_factory() as session, session.begin():
        moment = moment_of(session, "database", NOW)
    assert (moment.at, moment.today) == (NOW, date(2026, 1, 5))


def _open(session: Session, occurrence: str = "") -> ExceptionItem:
    return open_exception(
        session, "test.kind", "row", "R-1", "Look at it.", occurrence=occurrence, now=NOW
    )


def test_an_exception_opens_once(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        first = _open(session).reference
    with session_factory() as session, session.begin():
        assert _open(session).reference == first
        assert open_exception_counts(session) == {"test.kind": 1}


def test_another_occurrence_is_another_exception(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        assert _open(session, "1").reference != _open(session, "2").reference
        session.flush()
        assert len(open_exceptions(session)) == 2


def test_an_exception_closes_once_and_says_who_closed_it(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        reference = _open(session).reference
    with session_factory() as session, session.begin():
        close_exception(session, STAFF, reference, now=NOW)
    with session_factory() as session, session.begin():
        assert open_exceptions(session) == []
        with pytest.raises(WrongState, match="Nora Feld has already closed"):
            close_exception(session, STAFF, reference, now=NOW)


def test_an_unknown_exception_cannot_be_closed(session_factory: Make) -> None:
    with session_factory() as session, session.begin(), pytest.raises(NotFound):
        close_exception(session, STAFF, "ABCDEFGHIJKLMNO", now=NOW)


def test_a_party_closes_nothing(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        reference = _open(session).reference
        with pytest.raises(Forbidden):
            close_exception(session, PARENT, reference, now=NOW)


def test_what_became_moot_is_closed_by_the_event(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        _open(session, "1")
        _open(session, "2")
    with session_factory() as session, session.begin():
        close_exceptions_of(session, "test.kind", "R-1", closed_by="payments.poll", now=NOW)
    with session_factory() as session, session.begin():
        assert open_exceptions(session) == []


def _begin(session: Session, due_at: datetime, now: datetime) -> RunTurn | None:
    return begin_job_run(session, "poll", due_at, now=now)


def test_the_next_run_ends_what_a_dead_worker_left_open(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        dead = _begin(session, NINE, NOW)
    assert dead is not None
    later = NOW + timedelta(hours=1)
    with session_factory() as session, session.begin():
        assert unfinished_runs(session, now=NOW) == 1
        assert unfinished_runs(session, now=later) == 0
        assert _begin(session, NINE + timedelta(minutes=5), later) is not None
    with session_factory() as session, session.begin():
        run = session.get_one(JobRun, dead.run_id)
        assert run.finished_at is not None
        assert run.error.startswith("Its worker died.")
        assert not finish_job_run(session, dead, done=1, failed=0, now=later), "it wakes too late"


def test_a_living_run_is_left_alone_by_the_next(session_factory: Make) -> None:
    with session_factory() as session, session.begin():
        alive = _begin(session, NINE, NOW)
    with session_factory() as session, session.begin():
        assert alive is not None
        assert renew_run(session, alive, now=NOW + timedelta(minutes=1))
    with session_factory() as session, session.begin():
        _begin(session, NINE + timedelta(minutes=5), NOW + timedelta(minutes=1))
    with session_factory() as session, session.begin():
        assert session.get_one(JobRun, alive.run_id).finished_at is None
