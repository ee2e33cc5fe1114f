"""What the tests of the staff's pages share."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories import desk_world
from tests.factories.desk_world import DeskWorld


@pytest.fixture
def desk(app: Flask) -> DeskWorld:
    """Return a case with money, requests and people, on 20 February 2026."""
    return desk_world.build(app)
