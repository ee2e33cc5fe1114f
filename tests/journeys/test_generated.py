"""Journeys drawn from seeds: the product comes to the ledgers that plain arithmetic wrote."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from seedtrust.app import create_app, make_tools
from seedtrust.cli import main
from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.clock import SystemClock
from seedtrust.domain.cases.models import Case
from seedtrust.ext import db, in_transaction, reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys import generated
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.player import EQUAL, Player
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.setting import set_up
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import books, databases
from tests.support.shipped_play import Letterbox

# Of each seed other plans, so that a play in the tests has one of everything that goes wrong.
PLAYED = {1: range(4), 2: range(4, 8), 3: range(8, 12), 4: range(12, 20)}


@dataclass
class Outcomes:
    """What a play of generated journeys came to."""

    url: str
    results: dict[str, str]
    stages: dict[int, str]


def _played_folders(folder: Path) -> list[Path]:
    folders = []
    for seed, places in PLAYED.items():
        drawn = generated.generate(seed, 20)
        chosen = [drawn[place] for place in places]
        generated.write(folder, chosen)
        folders += [folder / journey.name for journey in chosen]
    return folders


@pytest.fixture(scope="module")
def outcomes(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """Play journeys of several seeds side by side, once for the tests that look at them."""
    folder = tmp_path_factory.mktemp("generated")
    url = databases.copy_of(sqlite_template, folder / "seedtrust.sqlite3")
    bank = RunningBank(folder / "bank", 0, "test-key", scan_seconds=None)
    bank.start()
    settings_ = Settings.from_env(
        env="test",
        data_dir=folder,
        database_url=url,
        business_clock="database",
        bank_url=bank.url,
        bank_api_key="test-key",
        bank_drop_dir=folder / "bank" / "drop",
    )
    app = create_app(settings_, clock=SystemClock())
    tools = replace(make_tools(settings_), mailer=Letterbox())
    control = HttpSandboxControl(bank.url, "test-key")
    folders = _played_folders(folder / "journeys")
    journeys = [read_journey(place / "journey.toml") for place in folders]
    with app.app_context():
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, control)
        player = Player(tools, control, cast)
        player.play(journeys)
        results = {
            journey.name: player.outcome(journey, place / "ledger.csv").result
            for journey, place in zip(journeys, folders, strict=True)
        }
        rows = reading(lambda session: session.execute(select(Case.number, Case.stage)).all())
        yield Outcomes(url, results, {row.number: row.stage for row in rows})
        db.session.remove()
        db.engine.dispose()
    bank.stop()


def test_every_ledger_is_the_one_that_arithmetic_wrote(outcomes: Outcomes) -> None:
    assert outcomes.results == dict.fromkeys(outcomes.results, EQUAL)
    assert len(outcomes.results) == 20


def test_every_case_stands_in_the_stage_that_its_name_says(outcomes: Outcomes) -> None:
    wanted = {
        300_000 + seed * 100 + place: generated.PLANS[place].stage
        for seed, places in PLAYED.items()
        for place in places
    }
    assert outcomes.stages == wanted


def test_the_books_are_sound(outcomes: Outcomes) -> None:
    assert books.faults(outcomes.url) == []


@settings(max_examples=30)
@given(seed=st.integers(0, generated.SEEDS - 1))
def test_what_a_seed_draws_is_the_same_each_time_and_never_overdrawn(seed: int) -> None:
    drawn = generated.generate(seed, 20)
    assert drawn == generated.generate(seed, 20)
    assert len({journey.name for journey in drawn}) == 20
    for journey in drawn:
        rows = list(csv.DictReader(io.StringIO(journey.ledger)))
        assert all(not row["balance"].startswith("-") for row in rows), journey.name
        assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)
        ends = journey.name.endswith("closed")
        assert not ends or rows[-1]["balance"] == "0.00"


@settings(max_examples=10)
@given(seed=st.integers(0, generated.SEEDS - 1))
def test_every_drawn_file_is_read_without_a_fault(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    generated.write(folder, generated.generate(seed, 20))
    journeys = [read_journey(path) for path in sorted(folder.glob("*/journey.toml"))]
    assert len({journey.number for journey in journeys}) == 20
    assert all(is_banking_day(day) for journey in journeys for day in journey.days)


def test_twenty_journeys_have_both_kinds_both_rails_every_stage_and_trouble() -> None:
    plans = Counter((plan.kind, plan.stage) for plan in generated.PLANS)
    assert {kind for kind, _ in plans} == {"egg_donation", "surrogacy"}
    assert len({stage for _, stage in plans}) >= 9
    assert len({plan.trouble for plan in generated.PLANS} - {""}) >= 10
    rails = {
        rail
        for journey in generated.generate(1, 20)
        for rail in ("nacha", "huntington")
        if f'rail = "{rail}"' in journey.journey
    }
    assert rails == {"nacha", "huntington"}


def test_the_command_writes_them_and_says_how_to_play_them(tmp_path: Path) -> None:
    arguments = [
        "journeys",
        "generate",
        "--seed",
        "7",
        "--count",
        "3",
        "--out",
        str(tmp_path / "x"),
    ]
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 0
    assert "3 journeys" in told.output
    assert len(list((tmp_path / "x").glob("*/ledger.csv"))) == 3
    assert CliRunner().invoke(main, [*arguments[:3], "99999", *arguments[4:]]).exit_code == 2


def test_a_seed_or_number_out_of_range_is_refused() -> None:
    for seed, count in ((-1, 1), (generated.SEEDS, 1), (1, 0), (1, 100)):
        with pytest.raises(ValueError, match="choose a seed"):
            generated.generate(seed, count)
