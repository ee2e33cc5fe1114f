"""What tests of the API may ask for beside the ground: a case whose people can sign in."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories import api_world
from tests.factories.api_world import ApiWorld


@pytest.fixture
def world(app: Flask) -> ApiWorld:
    """Return a donation in its cycle, funded, with a contract, on 20 February 2026."""
    return api_world.build(app)
