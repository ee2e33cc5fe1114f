"""Journeys drawn from seeds: the product comes to the ledgers that plain arithmetic wrote."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.app import create_app, make_tools
from seedtrust.cli import main
from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.clock import SystemClock
from seedtrust.core.db import make_engine
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import STAGES_OF, CaseKind, Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.ext import db, in_transaction, reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys import generated
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.draft import LAST_ACT_DAY
from seedtrust.journeys.plans import PLANS
from seedtrust.journeys.player import EQUAL, Player
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.setting import set_up
from seedtrust.journeys.shipped import AFTERWARDS
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import books, databases
from tests.support.shipped_play import Letterbox

# Of other seeds, journeys of few months, so that their dates are new and the play is short.
ELSEWHERE: Final = {11: (3, 5, 9), 12: (10, 11, 13), 13: (15, 17, 18, 19)}


@dataclass
class Outcomes:
    """What a play of generated journeys came to."""

    url: str
    results: dict[str, str]
    stages: dict[int, str]
    differences: dict[tuple[str, date], int]
    waiting: Counter[str]


def _written(folder: Path, seed: int, places: Iterable[int]) -> list[Path]:
    drawn = generated.generate(seed, 20)
    chosen = [drawn[place] for place in places]
    generated.write(folder, chosen)
    return [folder / journey.name for journey in chosen]


@contextmanager
def _played(template: Path, folder: Path, places: list[Path]) -> Iterator[Outcomes]:
    """Play journeys side by side up to the day on which the demo stands afterwards."""
    url = databases.copy_of(template, folder / "seedtrust.sqlite3")
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
    journeys = [read_journey(place / "journey.toml") for place in places]
    with app.app_context():
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, control)
        player = Player(tools, control, cast)
        player.play(journeys, until=AFTERWARDS)
        results = {
            journey.name: player.outcome(journey, place / "ledger.csv").result
            for journey, place in zip(journeys, places, strict=True)
        }
        rows = reading(lambda session: session.execute(select(Case.number, Case.stage)).all())
        first = min(journey.opened_on for journey in journeys)
        yield Outcomes(
            url,
            results,
            {row.number: row.stage for row in rows},
            reading(lambda session: _differences(session, first)),
            Counter(reading(lambda session: [item.kind for item in open_exceptions(session)])),
        )
        db.session.remove()
        db.engine.dispose()
    bank.stop()


def _differences(session: Session, first: date) -> dict[tuple[str, date], int]:
    """Return what is missing between bank, book and owners on each banking day, in cents."""
    accounts = session.execute(select(TrustAccount.id, TrustAccount.code)).all()
    days = [first + timedelta(days=number) for number in range((AFTERWARDS - first).days)]
    return {
        (account.code, day): three_way(session, account.id, day, with_items=False).difference_cents
        for account in accounts
        for day in days
        if is_banking_day(day)
    }


@pytest.fixture(scope="module")
def outcomes(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """Play the journeys that the demo draws, once for the tests that look at them."""
    folder = tmp_path_factory.mktemp("generated")
    places = _written(folder / "journeys", 1, range(20))
    with _played(sqlite_template, folder, places) as found:
        yield found


def test_every_ledger_is_the_one_that_arithmetic_wrote(outcomes: Outcomes) -> None:
    assert outcomes.results == dict.fromkeys(outcomes.results, EQUAL)
    assert len(outcomes.results) == 20


def test_every_case_stands_in_the_stage_that_its_name_says(outcomes: Outcomes) -> None:
    wanted = {300_100 + place: plan.stage for place, plan in enumerate(PLANS)}
    assert outcomes.stages == wanted


def test_bank_book_and_owners_agree_on_every_banking_day(outcomes: Outcomes) -> None:
    assert len(outcomes.differences) > 400
    assert {key: cents for key, cents in outcomes.differences.items() if cents} == {}


def test_the_books_are_sound(outcomes: Outcomes) -> None:
    assert books.faults(outcomes.url) == []


def test_the_days_work_has_something_of_everything(outcomes: Outcomes) -> None:
    waiting = {"case.shortage", "deposit.returned", "deposit.unidentified", "payment.returned"}
    assert waiting <= set(outcomes.waiting)
    states = set(_states(outcomes.url))
    assert {"SUBMITTED", "PENDING_APPROVAL", "RETURNED", "READY", "INSUFFICIENT"} <= states


def _states(url: str) -> list[str]:
    engine = make_engine(url)
    with Session(engine) as session:
        found = list(session.execute(select(DisbursementRequest.state)).scalars())
    engine.dispose()
    return found


def test_journeys_of_other_seeds_come_to_their_ledgers_on_other_days(
    sqlite_template: Path, tmp_path: Path
) -> None:
    places = [
        place
        for seed, chosen in ELSEWHERE.items()
        for place in _written(tmp_path / "journeys", seed, chosen)
    ]
    with _played(sqlite_template, tmp_path, places) as found:
        assert found.results == dict.fromkeys((place.name for place in places), EQUAL)
        assert set(found.differences.values()) == {0}
    assert books.faults(found.url) == []


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


def test_twenty_journeys_are_planned_for_every_stage_in_which_a_case_can_stand() -> None:
    assert len(PLANS) == 20
    planned = {Stage(plan.stage) for plan in PLANS}
    # Opening a case takes it through its intake in one unit of work: nothing is ever found there.
    assert set(Stage) - planned == {Stage.INTAKE}
    for plan in PLANS:
        assert plan.stage in {*STAGES_OF[CaseKind(plan.kind)], Stage.ON_HOLD, Stage.CANCELLED}


def test_a_refund_to_bank_details_that_nobody_has_checked_waits(tmp_path: Path) -> None:
    ends = {}
    for place in _written(tmp_path, 1, range(20)):
        journey = read_journey(place / "journey.toml")
        if journey.end_stage is not None:
            ends[PLANS[journey.number - 300_100].stage] = journey.end_stage
    wanted = {Stage.CLOSED, Stage.FINAL_DISBURSEMENT}
    assert ends == {stage.value: stage for stage in wanted}
    place = next(tmp_path.glob("*-final-disbursement"))
    assert "REFUND" not in (place / "ledger.csv").read_text(encoding="utf-8")
    assert read_journey(place / "journey.toml").last_day == LAST_ACT_DAY


def test_twenty_journeys_have_both_kinds_both_rails_and_every_trouble() -> None:
    assert {plan.kind for plan in PLANS} == {"egg_donation", "surrogacy"}
    assert len({plan.trouble for plan in PLANS} - {""}) >= 10
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
