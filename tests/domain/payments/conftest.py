"""A world in which something can be paid, and jobs that reach a bank in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import payment_world
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import PaymentWorld
from tests.fakes.bank import FakeBank


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account with the people who pay from it."""
    return payment_world.build(session_factory)


@pytest.fixture
def desk(app: Flask, world: PaymentWorld) -> Iterator[JobDesk[FakeBank]]:
    """Return a desk from which jobs run against a bank in memory."""
    del world
    with app.app_context():
        yield JobDesk.open(FakeBank())
