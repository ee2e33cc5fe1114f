"""A world with payees."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import payment_world
from tests.factories.payment_world import PaymentWorld


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return the people who handle bank details."""
    return payment_world.build(session_factory)
