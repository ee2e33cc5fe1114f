"""The one migration stream, forwards and back, on both databases."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, String, Table, inspect, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import make_url

from seedtrust.core import migrations
from seedtrust.core.db import Base, UtcDateTime, make_engine
from seedtrust.core.locations import migrations_folder
from seedtrust.domain import tables
from seedtrust.domain.ledger.triggers import trigger_names
from tests.support.databases import on_both_databases, on_both_empty_databases, only_on_mariadb

FILES: Final = sorted((migrations_folder() / "versions").glob("*.py"))
# Complete, because `tables` imports every module that defines one.
METADATA: Final = Base.metadata
assert tables.ALL
_LITERAL: Final = re.compile(r"'([^']*)'")


def revisions() -> list[str]:
    """Return every revision, the oldest first."""
    script = ScriptDirectory(str(migrations_folder()))
    return [revision.revision for revision in script.walk_revisions()][::-1]


def table_names(url: str) -> set[str]:
    engine = make_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def live_triggers(engine: Engine) -> set[str]:
    statement = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT trigger_name FROM information_schema.triggers "
        "WHERE trigger_schema = DATABASE()"
    )
    with engine.begin() as connection:
        return set(connection.execute(text(statement)).scalars())


def checks_of(table: Table) -> dict[str, set[str]]:
    """Return the values that each named CHECK of a model's table lists."""
    return {
        str(constraint.name): set(_LITERAL.findall(str(constraint.sqltext)))
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


def live_checks_of(engine: Engine, table: str) -> dict[str, set[str]]:
    # MariaDB adds a nameless one to each JSON column.
    return {
        str(constraint["name"]): set(_LITERAL.findall(constraint["sqltext"]))
        for constraint in inspect(engine).get_check_constraints(table)
        if str(constraint["name"]).startswith("ck_")
    }


@pytest.fixture
def revisions_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library compile the files once, not at each of some hundred commands."""
    shared = ScriptDirectory(str(migrations_folder()))
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _config: shared)


def test_the_folder_never_hides_the_library() -> None:
    found = list(migrations_folder().rglob("__init__.py"))
    assert found == [], "an __init__.py here makes `import alembic` find this folder"


def test_files_are_numbered_without_a_gap_and_named_after_what_they_do() -> None:
    assert [path.name[:4] for path in FILES] == [f"{n:04d}" for n in range(1, len(FILES) + 1)]
    assert [
        path.name for path in FILES if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", path.name)
    ] == []


def test_each_revision_follows_the_one_before() -> None:
    script = ScriptDirectory(str(migrations_folder()))
    chain = [(r.revision, r.down_revision) for r in script.walk_revisions()][::-1]
    numbers = [path.name[:4] for path in FILES]
    assert chain == list(zip(numbers, [None, *numbers[:-1]], strict=True))
    assert script.get_heads() == [numbers[-1]]
    assert migrations.head() == numbers[-1]


def test_the_newest_number_is_written_down_so_that_two_branches_collide() -> None:
    assert (migrations_folder() / "HEAD").read_text().strip() == migrations.head()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_revision_imports_nothing_of_ours_and_says_what_it_does(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"__future__", "alembic", "sqlalchemy"}
    assert ast.get_docstring(tree)


@on_both_empty_databases
@pytest.mark.usefixtures("revisions_read_once")
def test_every_step_goes_up_down_and_up_again(empty_database_url: str) -> None:
    previous = "base"
    for revision in revisions():
        before = table_names(empty_database_url)
        migrations.upgrade(empty_database_url, revision)
        after = table_names(empty_database_url)
        migrations.downgrade(empty_database_url, previous)
        assert table_names(empty_database_url) == before, f"{revision} leaves tables behind"
        migrations.upgrade(empty_database_url, revision)
        assert table_names(empty_database_url) == after
        previous = revision
    assert table_names(empty_database_url) == set(METADATA.tables)


@on_both_empty_databases
def test_the_whole_stream_goes_up_down_and_up_again(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url)
    migrations.downgrade(empty_database_url, "base")
    assert table_names(empty_database_url) == set()
    migrations.upgrade(empty_database_url)
    assert table_names(empty_database_url) == set(METADATA.tables)


@on_both_empty_databases
def test_a_database_knows_how_far_it_is(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    with engine.begin() as connection:
        assert migrations.current(connection) is None
    migrations.upgrade(empty_database_url)
    with engine.begin() as connection:
        assert migrations.current(connection) == migrations.head()
    engine.dispose()


@on_both_databases
def test_models_equal_the_database_at_head(database_url: str) -> None:
    migrations.check(database_url)
    assert table_names(database_url) == set(METADATA.tables)


@on_both_databases
def test_listed_values_of_every_check_equal_the_models(engine: Engine) -> None:
    expected = {name: checks_of(table) for name, table in METADATA.tables.items()}
    live = {name: live_checks_of(engine, name) for name in METADATA.tables}
    assert live == expected


@on_both_databases
def test_immutable_tables_have_their_triggers(engine: Engine) -> None:
    expected = {name for table in METADATA.tables for name in trigger_names(table)}
    assert expected
    assert live_triggers(engine) == expected


@only_on_mariadb
def test_codes_and_instants_keep_their_bytes_and_microseconds_on_mariadb(engine: Engine) -> None:
    with engine.begin() as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, column_name, collation_name, datetime_precision "
                "FROM information_schema.columns WHERE table_schema = DATABASE()"
            )
        ).all()
    live = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    wrong = []
    for table in METADATA.tables.values():
        for column in table.columns:
            collation, precision = live[table.name, column.name]
            variant = column.type.dialect_impl(mysql.dialect())
            if isinstance(column.type, UtcDateTime) and precision != 6:
                wrong.append(f"{column} drops microseconds")
            if isinstance(column.type, String) and getattr(variant, "collation", None) not in {
                None,
                collation,
            }:
                wrong.append(f"{column} is compared as {collation}")
    assert wrong == []


@only_on_mariadb
def test_every_table_keeps_transactions_on_mariadb(engine: Engine, database_url: str) -> None:
    assert make_url(database_url).get_backend_name() == "mysql"
    with engine.begin() as connection:
        engines = connection.execute(
            text(
                "SELECT DISTINCT engine FROM information_schema.tables "
                "WHERE table_schema = DATABASE()"
            )
        ).scalars()
        assert set(engines) == {"InnoDB"}
