"""`seedtrust db`: what an operator sees when migrating and comparing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.engine import make_url

from seedtrust.cli import main
from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from tests.support import services
from tests.support.databases import on_both_databases, on_both_empty_databases


@pytest.fixture
def seedtrust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("SEEDTRUST_DATA_DIR", str(tmp_path))
    return CliRunner()


def run(runner: CliRunner, url: str, *arguments: str) -> Result:
    return runner.invoke(main, ["db", *arguments], env={"SEEDTRUST_DATABASE_URL": url})


@on_both_empty_databases
def test_upgrading_says_where_it_came_from_and_where_it_is(
    seedtrust: CliRunner, empty_database_url: str
) -> None:
    head = migrations.head()
    first = run(seedtrust, empty_database_url, "upgrade")
    assert (first.exit_code, first.output) == (0, f"The database went from empty to {head}.\n")
    again = run(seedtrust, empty_database_url, "upgrade")
    assert (again.exit_code, again.output) == (0, f"The database is already at {head}.\n")


def test_checking_before_migrating_says_what_to_do(
    seedtrust: CliRunner, empty_database_url: str
) -> None:
    done = run(seedtrust, empty_database_url, "check")
    assert done.exit_code == 1
    assert "Run: seedtrust db upgrade" in done.stderr


@on_both_databases
def test_a_database_at_head_equals_the_models(seedtrust: CliRunner, database_url: str) -> None:
    done = run(seedtrust, database_url, "check")
    assert done.exit_code == 0, done.output
    assert "equals the models" in done.output


@pytest.mark.broken_books
@on_both_databases
def test_a_table_changed_by_hand_is_named(seedtrust: CliRunner, database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE agencies ADD COLUMN remark VARCHAR(10)"))
    engine.dispose()
    done = run(seedtrust, database_url, "check")
    assert done.exit_code == 1
    assert "remark" in done.stdout
    assert "changed tables by hand" in done.stderr


@pytest.mark.mariadb
def test_a_wrong_password_is_one_sentence_without_the_password(
    seedtrust: CliRunner,
) -> None:
    url = make_url(services.mariadb_url()).set(password="not-the-password")
    done = run(seedtrust, url.render_as_string(hide_password=False), "upgrade")
    assert done.exit_code == 2
    assert "Check SEEDTRUST_DATABASE_URL" in done.stderr
    assert "not-the-password" not in done.output


def test_a_file_that_is_no_database_is_refused(seedtrust: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    done = run(seedtrust, f"sqlite:///{path}", "upgrade")
    assert done.exit_code == 2
    assert "The database refused" in done.stderr
