"""A journey written by a stranger: returns, refusals, a wire without a name, and kills halfway."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.app import create_app
from seedtrust.domain.disbursements.models import DisbursementApproval, DisbursementRequest
from seedtrust.domain.ledger.queries import case_lines
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.ext import db, reading
from seedtrust.journeys.player import EQUAL, Played
from seedtrust.journeys.reader import JourneyRefused, read_journey
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import books, databases, small_journey

# Where the play is ended, and at which passing of the place; each time it goes on from there.
KILLS = (
    ("play.clock", 5),
    ("play.collected", 1),
    ("file.delivered", 1),
    ("play.locked", 1),
    ("play.morning", 2),
    ("events.applied", 2),
    ("play.requests", 3),
    ("wire.answered", 1),
)


@pytest.fixture(scope="module")
def bank() -> Iterator[Callable[[Path], RunningBank]]:
    """Start banks, each with its state in a play's folder."""
    running: list[RunningBank] = []

    def start(folder: Path) -> RunningBank:
        started = RunningBank(folder / "bank", 0, small_journey.KEY, scan_seconds=None)
        started.start()
        running.append(started)
        return started

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
    bank: Callable[[Path], RunningBank],
) -> Iterator[tuple[Settings, Played]]:
    """Play the journey once for the tests of this module that only look."""
    folder = tmp_path_factory.mktemp("small")
    url = databases.copy_of(sqlite_template, folder / "seedtrust.sqlite3")
    settings = small_journey.settings_for(folder, url, bank(folder).url)
    yield settings, small_journey.play(settings)
    assert books.faults(url) == []


def _read(settings: Settings, work: Callable[[Session], object]) -> object:
    app = create_app(settings)
    with app.app_context():
        found = reading(work)
        db.session.remove()
        db.engine.dispose()
    return found


def test_the_ledger_is_the_one_worked_out_by_hand(played: tuple[Settings, Played]) -> None:
    assert played[1].result == EQUAL


def test_all_requests_ended_as_they_were_answered(played: tuple[Settings, Played]) -> None:
    journey = read_journey(small_journey.FOLDER / "journey.toml")
    ends = {"approved": "PAID", "denied": "DENIED", "refused": "DENIED", "withdrawn": "CANCELLED"}
    states = _read(
        played[0],
        lambda s: list(
            s.execute(
                select(DisbursementRequest.state)
                .where(DisbursementRequest.kind == "request")
                .order_by(DisbursementRequest.id)
            ).scalars()
        ),
    )
    assert states == [ends[spec.answer] for spec in journey.requests]


def test_both_parents_approved_what_needs_both(played: tuple[Settings, Played]) -> None:
    people = _read(
        played[0],
        lambda s: (
            s.execute(
                select(DisbursementApproval.user_id)
                .join(
                    DisbursementRequest, DisbursementRequest.id == DisbursementApproval.request_id
                )
                .where(DisbursementRequest.category == "agency_fee")
            )
            .scalars()
            .all()
        ),
    )
    assert isinstance(people, list)
    assert len(people) == len(set(people)) == 2


def test_the_bank_saw_what_we_saw(played: tuple[Settings, Played]) -> None:
    payments = _read(
        played[0],
        lambda s: sorted(s.execute(select(PaymentInstruction.state)).scalars()),
    )
    assert payments == ["RETURNED"] + ["SETTLED"] * 6
    lines = _read(played[0], lambda s: set(s.execute(select(BankStatementLine.status)).scalars()))
    assert lines == {"matched"}


def test_the_return_waited_for_a_person_until_it_was_paid_again(
    played: tuple[Settings, Played],
) -> None:
    waiting = _read(played[0], lambda s: [item.kind for item in open_exceptions(s)])
    assert waiting == []
    closed = select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_not(None))
    assert _read(played[0], lambda s: set(s.execute(closed).scalars())) == {
        "deposit.unidentified",
        "payment.returned",
    }


def test_a_play_that_is_killed_again_and_again_comes_to_the_same_ledger(
    tmp_path: Path, sqlite_template: Path, bank: Callable[[Path], RunningBank]
) -> None:
    url = databases.copy_of(sqlite_template, tmp_path / "seedtrust.sqlite3")
    running = bank(tmp_path)
    command = [sys.executable, "-m", "tests.support.small_journey", str(tmp_path), url, running.url]
    for place, times in KILLS:
        ended = subprocess.run([*command, place, str(times)], timeout=300, check=False)
        assert ended.returncode == small_journey.ENDED_ITSELF, place
    settings = small_journey.settings_for(tmp_path, url, running.url)
    assert small_journey.play(settings).result == EQUAL
    lines = _read(settings, _lines)
    assert isinstance(lines, int)
    assert lines == 12
    assert books.faults(url) == []


def _lines(session: Session) -> int:
    from seedtrust.domain.cases.models import Case

    case = session.execute(select(Case)).scalar_one()
    return len(case_lines(session, case.ledger_account_id, limit=100))


def _text() -> str:
    return (small_journey.FOLDER / "journey.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "good, bad, reason",
    [
        ("matched_on = 2026-06-11", "matched_on = 2026-06-09", "before the wire comes in"),
        ('from = "luca"\n', 'from = "luca"\nmatched_on = 2026-06-11\n', "as it comes in"),
        ("number = 200417", "number = 417", "six digits"),
        ('refund_to = "anna"', 'refund_to = "luca"', "first intended parent"),
        ("certified_on = 2026-06-26", "certified_on = 2026-06-24", "come in this order"),
        ("luca.ferrante@families.example", "anna.ferrante@families.example", "is used twice"),
        ("luca.ferrante@families.example", "luca", "is not an e-mail address"),
    ],
)
def test_what_cannot_be_played_is_refused_at_its_line(
    tmp_path: Path, good: str, bad: str, reason: str
) -> None:
    text = _text()
    assert good in text
    path = tmp_path / "journey.toml"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(JourneyRefused) as refused:
        read_journey(path)
    assert any(reason in fault and fault.startswith("line ") for fault in refused.value.faults)


def test_a_journey_that_asks_for_what_is_refused_stops_there_and_says_so(
    tmp_path: Path, sqlite_template: Path, bank: Callable[[Path], RunningBank]
) -> None:
    opening = _text().partition("# The bank's text names no case")[0]
    request = """
[[requests]]
on = 2026-06-05
by = "attorney"
payee = "law_office"
category = "legal"
amount = "100.00"
description = "Asked before there is money"
"""
    folder = tmp_path / "early"
    folder.mkdir()
    text = opening.replace("terminated_on = 2026-06-23\n", "") + request
    (folder / "journey.toml").write_text(text, encoding="utf-8")
    url = databases.copy_of(sqlite_template, tmp_path / "seedtrust.sqlite3")
    settings = small_journey.settings_for(tmp_path, url, bank(tmp_path).url)
    outcome = small_journey.play(settings, folder)
    assert outcome.result.startswith("stopped on 2026-06-05: ")
    assert "Pending funding" in outcome.result
    assert outcome.case_ref
