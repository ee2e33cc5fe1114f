"""Places to kill at: a SQLite file that is copied back, a MariaDB that is filled anew."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON
from tests.factories.job_tools import database_of_jobs
from tests.kills.rounds import rehearse
from tests.kills.series import INTERFACE_POINTS, Series
from tests.kills.world import DATABASE, Place, Template, lay_out
from tests.support import databases
from tests.support.databases import MariaSchema


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep the log of thousands of workers out of the report."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def _template(folder: Path, migrated: Path, bank_code: str) -> Template:
    url = databases.copy_of(migrated, folder / DATABASE)
    return Template.of(lay_out(url, folder / "bank", bank_code=bank_code), folder / "kept")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Template:
    """Return released payments in a SQLite file and a bank's folder, kept to be copied back."""
    return _template(tmp_path_factory.mktemp("kills"), sqlite_template, FILE_DROP)


@pytest.fixture(scope="module")
def template_by_interface(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Template:
    """Return the same with ACH payments that go one by one over the bank's interface."""
    return _template(tmp_path_factory.mktemp("kills"), sqlite_template, HUNTINGTON)


@pytest.fixture
def by_interface(template_by_interface: Template) -> Iterator[Series]:
    """Give rounds on SQLite over the bank's interface, rehearsed once."""
    with database_of_jobs(template_by_interface.place.database_url):
        rehearse(template_by_interface.again())
        yield Series(template_by_interface.again, points=INTERFACE_POINTS)


@pytest.fixture
def on_sqlite(template: Template) -> Iterator[Series]:
    """Give rounds on SQLite, rehearsed once."""
    with database_of_jobs(template.place.database_url):
        rehearse(template.again())
        yield Series(template.again)


@pytest.fixture
def on_mariadb(mariadb_schema: MariaSchema, tmp_path: Path) -> Iterator[Series]:
    """Give rounds on MariaDB, rehearsed once."""
    again = _filling(mariadb_schema, tmp_path / "bank")
    place = again()
    with database_of_jobs(place.database_url):
        rehearse(place)
        yield Series(again)


def _filling(schema: MariaSchema, bank_dir: Path) -> Callable[[], Place]:
    def again() -> Place:
        shutil.rmtree(bank_dir, ignore_errors=True)
        return lay_out(schema.clean(), bank_dir)

    return again
