"""What every test may ask for: a database, an application, a clock that stands still, Redis."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import structlog
from flask import Flask
from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import FixedClock
from seedtrust.core.db import make_engine
from seedtrust.settings import Settings
from tests.support import books, databases, loopback, services
from tests.support.browser import PATIENCE_MS, launch

# A busy machine is slow; nothing in the suite asserts a time.
hypothesis.settings.register_profile("day", deadline=None, print_blob=True)
hypothesis.settings.register_profile("night", deadline=None, print_blob=True, max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a whole run take place on MariaDB."""
    parser.addoption(
        "--database",
        choices=databases.NAMES,
        default=databases.SQLITE,
        help="the database of tests that do not choose one",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Close the way out of this machine and choose the house's hypothesis profile."""
    loopback.stay_on_this_machine()
    if not config.getoption("--hypothesis-profile", None):
        hypothesis.settings.load_profile("day")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have told about themselves, also those that ran in other processes."""
    told = [
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == "told"
    ]
    if told:
        terminalreporter.section("told by tests")
        for line in dict.fromkeys(told):
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file to copy; nobody opens it."""
    return databases.migrated_sqlite(tmp_path_factory.mktemp("template") / "migrated.sqlite3")


@pytest.fixture(scope="session")
def mariadb_schema() -> Iterator[databases.MariaSchema]:
    """Give this worker's migrated MariaDB database."""
    schema = databases.MariaSchema(services.mariadb_url())
    yield schema
    schema.drop()


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Take back where and how much a test's application logs: its stream may be closed by now."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in list(root.handlers):
        ours = isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
        if ours and handler not in handlers:
            root.removeHandler(handler)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a migrated database of this test's own, and prove its books afterwards.

    SQLite, unless the test is marked with one of `tests.support.databases` or the run says
    `--database mariadb`.
    """
    spoils = request.node.get_closest_marker("broken_books") is not None
    kind = getattr(request, "param", request.config.getoption("--database"))
    if kind == databases.SQLITE:
        template: Path = request.getfixturevalue("sqlite_template")
        url = databases.copy_of(template, tmp_path / "seedtrust.sqlite3")
    else:
        schema: databases.MariaSchema = request.getfixturevalue("mariadb_schema")
        url = schema.clean()
        if spoils:
            schema.spoil()
    yield url
    assert spoils or not books.faults(url), "\n".join(books.faults(url))


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database before its first migration."""
    if getattr(request, "param", databases.SQLITE) == databases.SQLITE:
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server = services.mariadb_url()
    name = f"empty_{services.worker()}"
    yield databases.text_of(databases.recreate(server, name))
    databases.drop(server, name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an engine with the product's own settings; for tests that need no Flask."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return the maker of sessions whose units of work are explicit: `with make() as s, s.begin()`.

    A read outside `begin()` raises, as it does in the product.
    """
    return sessionmaker(engine, autobegin=False, expire_on_commit=False)


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands at ten in the morning in New York on Monday 5 January 2026."""
    return FixedClock(datetime(2026, 1, 5, 15, tzinfo=UTC))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Return settings of an application whose data lie in this test's folder."""
    return Settings.from_env(env="test", data_dir=tmp_path / "data", database_url=database_url)


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> Iterator[Flask]:
    """Give the application; no context is pushed, so a forgotten commit shows."""
    from seedtrust.app import create_app
    from seedtrust.ext import db

    app = create_app(settings, clock=clock)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def redis_url() -> str:
    """Return the address of an empty Redis database of this worker's own."""
    url = services.redis_url()
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Give the driver: one per process, as its loop stays that of the process's main thread."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Give one Chromium for all windows."""
    browser = launch(playwright)
    yield browser
    browser.close()
