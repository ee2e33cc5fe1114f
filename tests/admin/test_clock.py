"""Moving the business date of a demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from seedtrust.app import create_app
from seedtrust.core.clock import FixedClock
from seedtrust.core.permissions import Role
from seedtrust.ext import db
from seedtrust.settings import Settings
from tests.support.doors import Browser, person_in


@pytest.fixture
def demo(database_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Flask]:
    """Give an application whose business date people move."""
    settings = Settings.from_env(
        env="test",
        data_dir=tmp_path / "data",
        database_url=database_url,
        business_clock="database",
    )
    app = create_app(settings, clock=clock)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def signed_in(app: Flask, role: Role) -> Browser:
    browser = Browser(app)
    browser.sign_in(person_in(app, role))
    return browser


def test_the_date_moves_to_the_next_banking_day_after_its_consequence(demo: Flask) -> None:
    browser = signed_in(demo, Role.PAYMENTS_LEAD)
    seen = browser.get("/admin/clock").text
    assert "Jan 6, 2026" in seen
    assert "the date only moves forward" in seen
    moved = browser.submit("/admin/clock", {"to": "2026-01-06"})
    assert (moved.status_code, moved.location) == (303, "/admin/today")
    assert "Tuesday, January 6, 2026" in browser.get("/admin/today").text


def test_days_that_pass_are_counted_and_a_closed_day_is_named(demo: Flask) -> None:
    seen = signed_in(demo, Role.PAYMENTS_LEAD).get("/admin/clock?to=2026-01-10").text
    assert "The bank is closed on that day" in seen


@pytest.mark.parametrize("to", ["2026-01-05", "2025-01-01", "2028-01-01", "soon"])
def test_a_day_that_is_not_ahead_moves_nothing(demo: Flask, to: str) -> None:
    browser = signed_in(demo, Role.PAYMENTS_LEAD)
    refused = browser.submit("/admin/clock", {"to": to})
    assert refused.status_code == 422
    assert f'value="{to}"' in refused.text
    assert "Monday, January 5, 2026" in browser.get("/admin/today").text


def test_an_auditor_moves_nothing(demo: Flask) -> None:
    assert signed_in(demo, Role.AUDITOR).get("/admin/clock").status_code == 403


def test_outside_a_demo_nobody_moves_the_date(app: Flask) -> None:
    assert signed_in(app, Role.PAYMENTS_LEAD).get("/admin/clock").status_code == 404
