"""A journey in which checks bounce and payments come back, on the days that its file names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from seedtrust.app import create_app
from seedtrust.domain.funding.models import FundingRequest
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.ext import db, reading
from seedtrust.journeys.player import EQUAL, Played
from seedtrust.journeys.reader import JourneyRefused, read_journey
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import books, databases, small_journey

FOLDER: Final = Path(__file__).resolve().parent / "data" / "bounced"
KILLS: Final = (("play.morning", 6), ("events.applied", 7))


def _bank(folder: Path) -> RunningBank:
    bank = RunningBank(folder / "bank", 0, small_journey.KEY, scan_seconds=None)
    bank.start()
    return bank


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[tuple[Settings, Played]]:
    """Play the journey once for the tests that only look."""
    folder = tmp_path_factory.mktemp("bounced")
    url = databases.copy_of(sqlite_template, folder / "seedtrust.sqlite3")
    bank = _bank(folder)
    settings = small_journey.settings_for(folder, url, bank.url)
    yield settings, small_journey.play(settings, FOLDER)
    bank.stop()
    assert books.faults(url) == []


def test_the_ledger_is_the_one_worked_out_by_hand(played: tuple[Settings, Played]) -> None:
    assert played[1].result == EQUAL


def test_the_bank_gave_the_codes_of_the_file_and_its_statements_agree(
    played: tuple[Settings, Played],
) -> None:
    app = create_app(played[0])
    with app.app_context():
        codes = reading(
            lambda s: sorted(
                s.execute(
                    select(PaymentInstruction.return_code).where(
                        PaymentInstruction.return_code.is_not(None)
                    )
                ).scalars()
            )
        )
        lines = reading(lambda s: set(s.execute(select(BankStatementLine.status)).scalars()))
        kinds = reading(lambda s: sorted({item.kind for item in open_exceptions(s)}))
        db.session.remove()
        db.engine.dispose()
    assert [code for code in codes if code] == ["R01", "R04"]
    assert lines == {"matched"}
    # What came back was paid again; what bounced still waits for a person.
    assert kinds == ["deposit.returned"]


def test_parents_were_asked_and_what_bounced_is_asked_for_until_the_case_closes(
    played: tuple[Settings, Played],
) -> None:
    app = create_app(played[0])
    row = FundingRequest
    columns = (row.cause_key, row.state, row.amount_cents, row.funded_cents)
    with app.app_context():
        found = reading(lambda s: [tuple(one) for one in s.execute(select(*columns))])
        db.session.remove()
        db.engine.dispose()
    assert sorted(found) == [
        ("agreement_executed", "CANCELLED", 150_000, 0),
        ("escrow_agreement_executed", "FUNDED", 500_000, 500_000),
    ]


def test_over_the_banks_interface_the_ledger_is_the_same(
    tmp_path: Path, sqlite_template: Path
) -> None:
    folder = tmp_path / "interface"
    folder.mkdir()
    text = (FOLDER / "journey.toml").read_text(encoding="utf-8")
    over = text.replace('rail = "nacha"', 'rail = "huntington"', 1)
    (folder / "journey.toml").write_text(over, encoding="utf-8")
    shutil.copy(FOLDER / "ledger.csv", folder)
    url = databases.copy_of(sqlite_template, tmp_path / "seedtrust.sqlite3")
    bank = _bank(tmp_path)
    settings = small_journey.settings_for(tmp_path, url, bank.url)
    assert small_journey.play(settings, folder).result == EQUAL
    bank.stop()
    assert books.faults(url) == []


def test_a_play_that_is_killed_again_and_again_comes_to_the_same_ledger(
    tmp_path: Path, sqlite_template: Path
) -> None:
    url = databases.copy_of(sqlite_template, tmp_path / "seedtrust.sqlite3")
    bank = _bank(tmp_path)
    command = [sys.executable, "-m", "tests.support.small_journey", str(tmp_path), url, bank.url]
    for place, times in KILLS:
        ended = subprocess.run([*command, place, str(times), str(FOLDER)], timeout=300, check=False)
        assert ended.returncode == small_journey.ENDED_ITSELF, place
    settings = small_journey.settings_for(tmp_path, url, bank.url)
    assert small_journey.play(settings, FOLDER).result == EQUAL
    bank.stop()
    assert books.faults(url) == []


@pytest.mark.parametrize(
    "good, bad, reason",
    [
        ('pending_funding = "300.00"', 'pending = "300.00"', "“pending” is not known; choose from"),
        ('pending_funding = "300.00"', 'pending_funding = "1e3"', "is not an amount"),
        ('agreement_executed = "1500.00"', 'retrieval_done = "1.00"', "“retrieval_done” is not"),
        ('agreement_executed = "1500.00"', 'agreement_executed = "0.00"', "above zero"),
        ('due_at = { agreement_executed = "1500.00" }', 'due_at = "1"', "an inline table"),
        ('top_up = "1000.00"', 'top_up = "-5"', "is not an amount"),
        ('by = "check"', 'by = "cheque"', "must be one of wire, check"),
        ('code = "R04"', 'code = "R99"', "must be one of R01"),
        ('code = "R04"\n', "", "“code” is missing"),
        ('payee = "law_office"\nsettled_on', 'payee = "nobody"\nsettled_on', "is not in the file"),
        ("settled_on = 2026-03-10", "settled_on = 2026-03-11", "comes back on 2026-03-13 or later"),
        ("settled_on = 2026-03-10", "settled_on = 2026-03-08", "is not a banking day"),
        ('\ncategory = "mileage"\n\n# Coll', "\n\n# Coll", "give settled_on, category, or both"),
        ("deposit_on = 2026-03-06", "deposit_on = 2026-03-07", "is not a banking day"),
        ("deposit_on = 2026-03-06", "deposit_on = 2026-03-09", "no deposit can"),
        ("deposit_on = 2026-03-06", "deposit_on = 2026-03-04", "a wire does not"),
        ("deposit_on = 2026-03-06", "deposit_on = 2026-03-12", "bounces already above"),
        ("on = 2026-03-25", "on = 2026-03-12", "bounces after it came in"),
        ("on = 2026-03-25", "on = 2026-03-28", "is not a banking day"),
        ('event = "bounced_deposit"', 'event = "bounced"', "must be one of account_closed, return"),
        (
            'event = "bounced_deposit"\n',
            'event = "bounced_deposit"\ncode = "R01"\n',
            "“code” says nothing about a check; only e-checks come back with one",
        ),
    ],
)
def test_a_bank_event_that_cannot_happen_is_refused_at_its_line(
    tmp_path: Path, good: str, bad: str, reason: str
) -> None:
    text = (FOLDER / "journey.toml").read_text(encoding="utf-8")
    assert good in text
    path = tmp_path / "journey.toml"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(JourneyRefused) as refused:
        read_journey(path)
    assert any(reason in fault and fault.startswith("line ") for fault in refused.value.faults)


def test_two_checks_on_one_day_cannot_be_told_apart(tmp_path: Path) -> None:
    text = (FOLDER / "journey.toml").read_text(encoding="utf-8")
    path = tmp_path / "journey.toml"
    path.write_text(text.replace("on = 2026-03-12\namount", "on = 2026-03-06\namount", 1), "utf-8")
    with pytest.raises(JourneyRefused) as refused:
        read_journey(path)
    assert any("two checks come in on 2026-03-06" in fault for fault in refused.value.faults)


def test_a_return_of_a_payment_that_never_was_stops_the_journey_and_says_so(
    tmp_path: Path, sqlite_template: Path
) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    text = (FOLDER / "journey.toml").read_text(encoding="utf-8")
    wrong = text.replace("settled_on = 2026-03-10", "settled_on = 2026-03-09", 1)
    (folder / "journey.toml").write_text(wrong, encoding="utf-8")
    url = databases.copy_of(sqlite_template, tmp_path / "seedtrust.sqlite3")
    bank = _bank(tmp_path)
    settings = small_journey.settings_for(tmp_path, url, bank.url)
    outcome = small_journey.play(settings, folder)
    bank.stop()
    assert outcome.result.startswith("stopped on 2026-03-11: The bank cannot return a payment")
