"""The three-way reconciliation from a shell: a table, figures for programs, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.cli import main
from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.settings import Settings
from tests.factories import payment_world
from tests.factories.payment_world import MONDAY, SYSTEM, PaymentWorld, moment_at
from tests.factories.statements import Line, statement

Run = Callable[..., Result]
DAY = MONDAY.isoformat()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return the command on a trust account with 1,000.00 that the bank has reported."""
    url = Settings.from_env(data_dir=tmp_path).database_url.get_secret_value()
    migrations.upgrade(url)
    engine = make_engine(url)
    world = payment_world.build(sessionmaker(engine, expire_on_commit=False))
    world.case(funds_cents=100_000)
    _report(world, 100_000)
    engine.dispose()
    return lambda *words: CliRunner().invoke(main, ["reconcile", *words, "--data", str(tmp_path)])


def _report(world: PaymentWorld, cents: int) -> None:
    def work(session: Session) -> None:
        for on, data in (
            (date(2026, 1, 2), statement(date(2026, 1, 2), 0, Line(cents, text="Wire in"))),
            (MONDAY, statement(MONDAY, cents, Line(25, text="Nobody's"))),
        ):
            moment = moment_at(date(2026, 1, 6))
            import_statement(session, SYSTEM, file_name=f"{on}", data=data, moment=moment)

    world.do(work)


def test_a_day_that_agrees_is_a_table_and_exit_code_0(run: Run) -> None:
    found = run("--account", "main", "--date", "2026-01-02")
    assert found.exit_code == 0, found.output
    for words in ("Client trust ••••8806", "Bank", "Book", "Owners", "1,000.00", "Bank less book"):
        assert words in found.output


def test_a_difference_is_exit_code_1_with_its_open_items(run: Run) -> None:
    found = run("--account", "main", "--date", DAY)
    assert found.exit_code == 1
    assert "Open items" in found.output
    assert "Unmatched line" in found.output
    assert "0.25" in found.output


def test_programs_get_the_figures_in_cents(run: Run) -> None:
    found = run("--account", "main", "--date", DAY, "--json")
    assert found.exit_code == 1
    told = json.loads(found.output)
    assert (told["difference_cents"], told["agrees"]) == (25, False)
    assert told["statement_on"] == DAY
    assert [item["amount_cents"] for item in told["items"]] == [100_000, 25]


@pytest.mark.parametrize(
    "words, sentence",
    [
        (
            ["--account", "other", "--date", DAY],
            "There is no trust account other. Those here: main.",
        ),
        (["--account", "main", "--date", "2026-02-30"], "does not match the format"),
        (["--account", "main"], "Missing option '--date'"),
        (["--date", DAY], "Missing option '--account'"),
    ],
)
def test_bad_input_is_exit_code_2_and_says_what_to_do(
    run: Run, words: list[str], sentence: str
) -> None:
    refused = run(*words)
    assert refused.exit_code == 2
    assert sentence in " ".join(refused.stderr.split())
