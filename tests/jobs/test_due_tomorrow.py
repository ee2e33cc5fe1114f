"""A milestone of the morning whose item is due tomorrow: its money still leaves today, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from typing import Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.cases.states import AgreementKind, Milestone
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.terms.states import Category, TaxClass, TermKind
from seedtrust.jobs.registry import JOBS
from seedtrust.jobs.schedule import run_job
from tests.factories import case_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.fakes.bank import FakeBank
from tests.support.databases import on_both_databases

THURSDAY: Final = date(2026, 3, 5)
FRIDAY: Final = date(2026, 3, 6)
MATERIALISE: Final = next(job for job in JOBS if job.name == "schedule.materialise")


@pytest.fixture
def desk(database_url: str) -> Iterator[JobDesk[FakeBank]]:
    """Return a desk from which jobs run."""
    with database_of_jobs(database_url):
        yield JobDesk.open(FakeBank())


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> case_world.World:
    """Return a donation that has begun, with a stipend due on the day after the medication."""
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        case_world.propose(
            session,
            world,
            category=Category.BASE_COMPENSATION,
            kind=TermKind.SCHEDULED,
            payee="carrier",
            amount_cents=100_000,
            trigger=Milestone.MEDICATION_STARTED,
            pay_after_days=1,
            tax_class=TaxClass.COMPENSATION,
        )
        case_world.activate(session, world)
        case_world.sign(session, world, AgreementKind.ESCROW, on=date(2026, 1, 16))
        case_world.fund(session, world, on=date(2026, 1, 22))
        agreement = case_world.donation_agreement(world)
        case_world.sign(session, world, agreement, on=date(2026, 2, 18))
        return world


def ran(desk: JobDesk[FakeBank], hour: int, minute: int) -> bool:
    """Run the job for its latest due time, unless that was done."""
    tools = desk.at(THURSDAY, hour, minute)
    due_at = MATERIALISE.last_due(tools.moment().business_at)
    assert due_at is not None
    return run_job(tools, MATERIALISE, due_at)


@on_both_databases
def test_an_item_that_becomes_due_in_the_morning_leaves_on_the_same_day(
    session_factory: sessionmaker[Session],
    world: case_world.World,
    desk: JobDesk[FakeBank],
) -> None:
    def requests() -> list[tuple[date | None, int]]:
        with session_factory() as session, session.begin():
            query = select(DisbursementRequest.pay_on, DisbursementRequest.amount_cents)
            return [(row[0], row[1]) for row in session.execute(query)]

    assert ran(desk, 9, 0)
    assert requests() == []
    with session_factory() as session, session.begin():
        case_world.happen(session, world, Milestone.MEDICATION_STARTED, on=THURSDAY)
    assert not ran(desk, 11, 0)  # the morning's run is done
    assert ran(desk, 12, 30)
    assert not ran(desk, 13, 30)
    assert requests() == [(FRIDAY, 100_000)]
    # There is time left to build and release a run before the usual cut-off at two.
    assert max(MATERIALISE.at) <= time(13)
