"""A trust account with money on it, and jobs that hear what a bank in memory says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import payment_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import PaymentWorld
from tests.factories.shortages import spent
from tests.factories.till import Till, opened
from tests.fakes.bank import FakeBank


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account with the people who pay from it."""
    return payment_world.build(session_factory)


@pytest.fixture
def bank_desk(database_url: str, world: PaymentWorld) -> Iterator[JobDesk[FakeBank]]:
    """Return a desk from which jobs run against a bank in memory."""
    del world
    with database_of_jobs(database_url):
        yield JobDesk.open(FakeBank())


@pytest.fixture
def till(world: PaymentWorld, bank_desk: JobDesk[FakeBank]) -> Till:
    """Return a case with 1,000.00 of collected money that the bank's statement shows."""
    return opened(world, bank_desk)


@pytest.fixture
def short(till: Till) -> Till:
    """Return a case whose check bounced after 800.00 of it had been spent; 500.00 wait on hold."""
    return spent(till)
