"""Two journeys as a stranger wrote them from the page about journeys: odd days, odd endings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seedtrust.app import create_app, make_tools
from seedtrust.ext import db, in_transaction
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.player import EQUAL, Player
from seedtrust.journeys.reader import JourneyRefused, read_journey
from seedtrust.journeys.setting import set_up
from seedtrust.sandbox.server import RunningBank
from tests.support import books, databases, small_journey
from tests.support.shipped_play import Letterbox

DATA = Path(__file__).resolve().parent / "data"
NAMES = ("odd-donation", "odd-surrogacy")


@pytest.fixture(scope="module")
def results(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Play both side by side, on the two rails, and prove the books afterwards."""
    folder = tmp_path_factory.mktemp("odd")
    url = databases.copy_of(sqlite_template, folder / "seedtrust.sqlite3")
    bank = RunningBank(folder / "bank", 0, small_journey.KEY, scan_seconds=None)
    bank.start()
    settings = small_journey.settings_for(folder, url, bank.url)
    tools = replace(make_tools(settings), mailer=Letterbox())
    control = HttpSandboxControl(bank.url, small_journey.KEY)
    journeys = [read_journey(DATA / name / "journey.toml") for name in NAMES]
    with create_app(settings).app_context():
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, control)
        player = Player(tools, control, cast)
        player.play(journeys)
        yield {
            journey.name: player.outcome(journey, DATA / journey.name / "ledger.csv").result
            for journey in journeys
        }
        db.session.remove()
        db.engine.dispose()
    bank.stop()
    assert books.faults(url) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_ledger_is_the_one_worked_out_by_hand(results: dict[str, str], name: str) -> None:
    assert results[name] == EQUAL


def test_a_surrogate_who_asks_for_somebody_else_is_refused_before_the_play(tmp_path: Path) -> None:
    text = (DATA / "odd-surrogacy" / "journey.toml").read_text(encoding="utf-8")
    path = tmp_path / "journey.toml"
    path.write_text(text.replace('by = "cm"', 'by = "gc"', 1), encoding="utf-8")
    with pytest.raises(JourneyRefused) as refused:
        read_journey(path)
    [fault] = refused.value.faults
    assert "asks for herself only" in fault
