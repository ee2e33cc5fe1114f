"""A lease is renewed while its work goes on, by whoever works, and by nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from seedtrust.core.clock import FixedClock
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.outbox.service import LEASE, claim_due, promise
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs import leases, registry, relay, schedule
from seedtrust.jobs.leases import held
from seedtrust.jobs.registry import Job
from seedtrust.jobs.tools import Tools
from tests.factories.case_world import REAL_TIME
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.support.databases import on_both_databases
from tests.support.processes import wait_until

TOPIC = "test.slow"
Handler = Callable[[Tools, dict[str, str]], None]


@dataclass
class Slow:
    """Work that goes on until it is let go."""

    began: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *_: object) -> tuple[int, int]:
        """Work."""
        self.began.set()
        assert self.goes_on.wait(60), "nobody let it go"
        return 1, 0


@pytest.fixture
def tools(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tools]:
    """Give tools whose leases are renewed all the time."""
    monkeypatch.setattr(leases, "RENEW_EVERY_SECONDS", 0.01)
    with database_of_jobs(database_url):
        yield JobDesk.open(None).tools  # type: ignore[type-var]


def later(tools: Tools, by: timedelta) -> None:
    assert isinstance(tools.clock, FixedClock)
    tools.clock.advance(by)


def promised(monkeypatch: pytest.MonkeyPatch, handler: Handler) -> None:
    monkeypatch.setattr(relay, "HANDLERS", {**registry.HANDLERS, TOPIC: handler})
    in_transaction(lambda session: promise(session, TOPIC, "1", {}, now=REAL_TIME))


def handler_of(work: Callable[[], object]) -> Handler:
    def handler(_tools: Tools, _payload: dict[str, str]) -> None:
        work()

    return handler


def message(session: Session) -> OutboxMessage:
    return session.execute(select(OutboxMessage)).scalar_one()


def run_of_job(session: Session) -> JobRun:
    return session.execute(select(JobRun)).scalar_one()


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Work in a thread while the block looks on; the block lets the work go."""
    from flask import current_app

    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - its documented use

    def working() -> None:
        with app.app_context():
            work()

    thread = threading.Thread(target=working)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@on_both_databases
def test_slow_work_keeps_its_promise_to_itself(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    promised(monkeypatch, handler_of(slow))
    with beside(lambda: relay.drain(tools)):
        try:
            assert slow.began.wait(60)
            later(tools, LEASE - timedelta(seconds=1))
            renewed_to = tools.clock.now() + LEASE
            wait_until(lambda: reading(message).lease_until == renewed_to, "a renewal")
            # The first lease is over by now, and nobody else gets the promise.
            later(tools, timedelta(seconds=2))
            assert in_transaction(lambda s: claim_due(s, now=tools.clock.now())) == []
        finally:
            slow.goes_on.set()
    kept = reading(message)
    assert (kept.done_at is not None, kept.fence, kept.attempts) == (True, 1, 1)


@on_both_databases
def test_a_slow_job_stays_with_its_worker(tools: Tools) -> None:
    slow = Slow()
    job = Job("slow", (), slow, "Takes its time.")
    with beside(lambda: schedule.run_job(tools, job, REAL_TIME)):
        try:
            assert slow.began.wait(60)
            later(tools, LEASE - timedelta(seconds=1))
            renewed_to = tools.clock.now() + LEASE
            wait_until(lambda: reading(run_of_job).lease_until == renewed_to, "a renewal")
            later(tools, timedelta(seconds=2))
            assert not schedule.run_job(tools, job, REAL_TIME), "it is under way"
        finally:
            slow.goes_on.set()
    run = reading(run_of_job)
    assert (run.items_done, run.lease_until, run.fence) == (1, None, 1)


def test_who_stood_still_while_its_lease_ran_out_reports_nothing(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_over = []

    def stands_still(tools: Tools, _payload: dict[str, str]) -> None:
        later(tools, LEASE + timedelta(seconds=1))
        taken_over.extend(in_transaction(lambda s: claim_due(s, now=tools.clock.now())))

    monkeypatch.setattr(leases, "RENEW_EVERY_SECONDS", 3_600.0)
    promised(monkeypatch, stands_still)
    relay.drain(tools)
    [heir] = taken_over
    found = reading(message)
    assert (found.fence, found.done_at) == (heir.fence, None), "it is the heir's to report"
    assert found.lease_until is not None


def test_a_renewal_that_fails_is_tried_again(tools: Tools) -> None:
    tries: list[int] = []

    def renew(_session: Session, _now: object) -> bool:
        tries.append(1)
        if len(tries) == 1:
            statement = "UPDATE"
            raise OperationalError(statement, {}, Exception("gone"))
        return True

    with held(tools, renew):
        wait_until(lambda: len(tries) > 1, "another try")
        assert _renewing(), "it goes on"


def test_a_lost_lease_is_renewed_no_more(tools: Tools) -> None:
    tries: list[int] = []

    def renew(_session: Session, _now: object) -> bool:
        tries.append(1)
        return False

    with held(tools, renew):
        wait_until(lambda: tries and not _renewing(), "its end")
    assert len(tries) == 1


def test_who_hangs_is_overtaken_in_the_end(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MOST_RENEWALS", 3)
    tries: list[int] = []

    def renew(_session: Session, _now: object) -> bool:
        tries.append(1)
        return True

    with held(tools, renew):
        wait_until(lambda: len(tries) == 3, "the last renewal")
        wait_until(lambda: _renewing() == [], "its end")
    assert len(tries) == 3


def _renewing() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "lease"]


def test_a_database_that_went_away_is_no_failure_of_the_promise_or_the_job(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> tuple[int, int]:
        statement = "SELECT"
        raise OperationalError(statement, {}, Exception(2013, "Lost connection"))

    promised(monkeypatch, handler_of(lost))
    relay.drain(tools)
    left = reading(message)
    assert (left.attempts, left.last_error, left.parked_at) == (1, "", None)
    assert left.lease_until == tools.clock.now() + LEASE
    assert not schedule.run_job(tools, Job("lost", (), lost, "Loses it."), REAL_TIME)
    assert reading(run_of_job).finished_at is None
    later(tools, LEASE + timedelta(seconds=1))
    assert schedule.run_job(tools, Job("lost", (), lambda _: (1, 0), "Does it."), REAL_TIME)
