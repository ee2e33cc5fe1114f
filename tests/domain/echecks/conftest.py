"""A case whose parents let us draw money, and jobs that reach a bank in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import echeck_world, payment_world
from tests.factories.echeck_world import EcheckWorld
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.fakes.bank import FakeBank


@pytest.fixture
def echecks(session_factory: sessionmaker[Session]) -> EcheckWorld:
    """Return a case with an authorised account and an open request for funds."""
    return echeck_world.build(payment_world.build(session_factory))


@pytest.fixture
def desk(database_url: str, echecks: EcheckWorld) -> Iterator[JobDesk[FakeBank]]:
    """Return a desk from which jobs run against a bank in memory."""
    del echecks
    with database_of_jobs(database_url):
        yield JobDesk.open(FakeBank())
