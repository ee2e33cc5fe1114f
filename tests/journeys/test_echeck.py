"""A journey in which parents let us draw money that comes back, before and after it was spent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from seedtrust.app import create_app
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.funding.models import Shortage
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.ext import db, reading
from seedtrust.journeys.player import EQUAL, Played
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import books, databases, small_journey

FOLDER: Final = Path(__file__).resolve().parent / "data" / "echeck"


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[tuple[Settings, Played]]:
    """Play the journey once."""
    folder = tmp_path_factory.mktemp("echeck")
    url = databases.copy_of(sqlite_template, folder / "seedtrust.sqlite3")
    bank = RunningBank(folder / "bank", 0, small_journey.KEY, scan_seconds=None)
    bank.start()
    settings = small_journey.settings_for(folder, url, bank.url)
    yield settings, small_journey.play(settings, FOLDER)
    bank.stop()
    assert books.faults(url) == []


def test_the_ledger_is_the_one_worked_out_by_hand(played: tuple[Settings, Played]) -> None:
    assert played[1].result == EQUAL


def test_what_was_missing_is_made_good_and_every_line_of_the_bank_is_explained(
    played: tuple[Settings, Played],
) -> None:
    app = create_app(played[0])
    pulls = select(EcheckPull.state, EcheckPull.return_code).order_by(EcheckPull.id)
    shortages = select(Shortage.state, Shortage.amount_cents, Shortage.cured_cents)
    with app.app_context():
        drawn = reading(lambda s: [tuple(one) for one in s.execute(pulls)])
        missing = reading(lambda s: [tuple(one) for one in s.execute(shortages)])
        states = reading(lambda s: list(s.execute(select(DebitAuthorisation.state)).scalars()))
        lines = reading(lambda s: set(s.execute(select(BankStatementLine.status)).scalars()))
        db.session.remove()
        db.engine.dispose()
    assert drawn == [("RETURNED", "R01"), ("RETURNED", "R10")]
    assert missing == [("CURED", 20_000, 20_000)]
    assert states == ["BLOCKED"]
    assert lines == {"matched"}
