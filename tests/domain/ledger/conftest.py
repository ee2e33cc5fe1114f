"""What tests of the books may ask for."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.domain.ledger.books_world import World, open_world


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> World:
    """Return open books with two empty cases."""
    return open_world(session_factory)
