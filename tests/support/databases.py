"""Migrated databases, one per test: a copied file on SQLite, an emptied schema on MariaDB."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from tests.support import services

SQLITE: Final = "sqlite"
MARIADB: Final = "mariadb"
NAMES: Final = (SQLITE, MARIADB)
_UNKNOWN_THREAD: Final = 1094

# Marks a test that has to hold on both databases, whatever the run's default is.
on_both_databases = pytest.mark.parametrize(
    "database_url", [SQLITE, pytest.param(MARIADB, marks=pytest.mark.mariadb)], indirect=True
)
# Marks a test that starts before the first migration.
on_both_empty_databases = pytest.mark.parametrize(
    "empty_database_url",
    [SQLITE, pytest.param(MARIADB, marks=pytest.mark.mariadb)],
    indirect=True,
)
# Marks a test of what only a server with row locks shows.
only_on_mariadb = pytest.mark.parametrize(
    "database_url", [pytest.param(MARIADB, marks=pytest.mark.mariadb)], indirect=True
)


def text_of(url: URL) -> str:
    """Return an address with its password, as the application is given it."""
    return url.render_as_string(hide_password=False)


def migrated_sqlite(path: Path) -> Path:
    """Make a SQLite file at head and return it, complete without its journal."""
    migrations.upgrade(f"sqlite:///{path}")
    return path


def copy_of(template: Path, path: Path) -> str:
    """Copy a closed SQLite file and return the address of the copy."""
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def recreate(server_url: str, name: str) -> URL:
    """Create an empty database on the server, dropping one of that name, and return its address."""
    url = make_url(server_url).set(database=name)
    with _connected(make_url(server_url)) as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS `{name}`"))
        connection.execute(text(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4"))
    return url


def drop(server_url: str, name: str) -> None:
    """Drop a database of the server."""
    with _connected(make_url(server_url)) as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS `{name}`"))


class MariaSchema:
    """This worker's migrated database on MariaDB, given to one test after the other.

    Between two tests the rows go and those that the migrations wrote come back; a test that
    altered tables or triggers costs a new migration.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._name = f"seedtrust_{services.worker()}"
        self._seeds = f"{self._name}_seeds"
        self._url = make_url(server_url).set(database=self._name)
        # Kept for all tests: a new one would look the server over each time.
        self._engine = make_engine(self._url)
        self._shape: list[tuple[str, ...]] = []
        self._tables: list[str] = []
        self._seeded: list[str] = []
        self._guarded: set[str] = set()
        self._migrate()

    def clean(self) -> str:
        """Return the address of the database as the migrations leave it."""
        with self._engine.begin() as connection:
            _end_other_connections(connection, self._name)
            intact = _shape_of(connection) == self._shape
            if intact:
                self._empty(connection)
        if not intact:
            self._migrate()
        return text_of(self._url)

    def spoil(self) -> None:
        """Have the next test begin with a new migration."""
        self._shape = []

    def drop(self) -> None:
        """Remove the database from the server."""
        self._engine.dispose()
        for name in (self._name, self._seeds):
            drop(self._server_url, name)

    def _migrate(self) -> None:
        self._engine.dispose()
        recreate(self._server_url, self._name)
        recreate(self._server_url, self._seeds)
        migrations.upgrade(self._url)
        with self._engine.begin() as connection:
            self._shape = _shape_of(connection)
            self._guarded = {shape[1] for shape in self._shape if len(shape) > 1}
            names = connection.execute(text("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'"))
            self._tables = [row[0] for row in names if row[0] != "alembic_version"]
            self._seeded = self._filled(connection)
            for table in self._seeded:
                copy = f"CREATE TABLE `{self._seeds}`.`{table}` AS SELECT * FROM `{table}`"
                connection.execute(text(copy))

    def _filled(self, connection: Connection) -> list[str]:
        probes = [
            f"SELECT '{table}' FROM DUAL WHERE EXISTS (SELECT 1 FROM `{table}`)"
            for table in self._tables
        ]
        return list(connection.exec_driver_sql(" UNION ALL ".join(probes)).scalars())

    def _empty(self, connection: Connection) -> None:
        connection.execute(text("SET SESSION foreign_key_checks = 0"))
        for table in self._filled(connection):
            # A guard against deleting does not see a truncation, which costs more.
            verb = "TRUNCATE TABLE" if table in self._guarded else "DELETE FROM"
            connection.execute(text(f"{verb} `{table}`"))
        for table in self._seeded:
            rows = f"INSERT INTO `{table}` SELECT * FROM `{self._seeds}`.`{table}`"
            connection.execute(text(rows))
        connection.execute(text("SET SESSION foreign_key_checks = 1"))


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    engine: Engine = make_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
            connection.commit()
    finally:
        engine.dispose()


def _shape_of(connection: Connection) -> list[tuple[str, ...]]:
    tables = connection.execute(text("SHOW FULL TABLES")).all()
    triggers = connection.execute(text("SHOW TRIGGERS")).all()
    return [*((str(row[0]),) for row in tables), *((str(row[0]), str(row[2])) for row in triggers)]


def _end_other_connections(connection: Connection, name: str) -> None:
    """End what the last test left open: its locks would keep a table from being emptied."""
    others = connection.execute(
        text(
            "SELECT id FROM information_schema.processlist "
            "WHERE db = :name AND id <> CONNECTION_ID()"
        ),
        {"name": name},
    ).scalars()
    for number in list(others):
        try:
            connection.execute(text(f"KILL SOFT {number:d}"))
        except OperationalError as error:
            # It may have ended by itself since it was listed.
            if error.orig is None or error.orig.args[0] != _UNKNOWN_THREAD:
                raise
